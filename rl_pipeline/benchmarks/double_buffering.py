"""Gain by collecting with two half batches that take turns: the double-buffer benchmark."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rl_pipeline.benchmarks.figures import Figures, interleave, spread, times

WIDTHS: Final = (64, 1024)
"""Widths of the two hidden layers of a small and of a large policy."""
PACE: Final = 0.005
"""Seconds of a step of paced players, which sleep meanwhile like those of a build on another processor."""
N_STEPS: Final = 128
NOTE: Final = (
    "Rollouts of PPO alone, without its updates. Players at a pace wait as a build on another machine or processor "
    "does; those at full speed compute on the trainer's own cores."
)


@dataclass
class Case:
    """Players and a policy, with the rates of collecting with the whole batch and with halves.

    Attributes:
        players: label of their speed.
        width: of the policy's two hidden layers.
        rates: environment steps per second, by whether halves take turns.
    """

    players: str
    width: int
    rates: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        whole, halves = self.rates[False], self.rates[True]
        gains = [a / b for a, b in zip(halves, whole, strict=True)]
        middles = (f"{statistics.median(rates):,.0f}" for rates in (whole, halves))
        return f"{self.players}; 2 x {self.width}", *middles, f"{times(halves, whole):.2f}", spread(gains)


def measure_double_buffer(
    players: int = 8, *, seconds: float = 3.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Figures:
    """Collect rollouts with and without `training.double_buffer`, of fast and of slow players and policies.

    Args:
        players: players of the batch, an even number.
        seconds: of each measurement, at least.
        repetitions: measurements of each case, interleaved.
        progress: called with the name of each case.
    """
    scales = {"full speed": 0.0, f"{1e3 * PACE:g} ms a step": 0.1 / PACE}
    cases = [Case(speed, width) for speed in scales for width in WIDTHS]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        # All players are started first; those of other cases wait.
        sides: list[tuple[str, tuple[Case, bool, Callable[[], int]]]] = []
        for case in cases:
            for halves in case.rates:
                name = f"{case.players}, 2 x {case.width}, {'halves' if halves else 'whole'}"
                progress(name)
                folder = directory / str(len(sides))
                collect = _make_collector(stack, folder, players, scales[case.players], case.width, halves)
                sides.append((name, (case, halves, collect)))
        for case, halves, collect in interleave(sides, repetitions, progress):
            steps = 0
            began = time.perf_counter()
            while (taken := time.perf_counter() - began) < seconds:
                steps += collect()
            case.rates[halves].append(steps / taken)
    return Figures(
        f"Collecting with {players} embedded players, steps/s",
        ("players; hidden layers", "whole batch", "two halves", "gain", "spread"),
        [case.row() for case in cases],
        NOTE,
        {"cases": [asdict(case) for case in cases]},
    )


def _make_collector(
    stack: ExitStack, directory: Path, players: int, time_scale: float, width: int, halves: bool
) -> Callable[[], int]:
    """Return a function that collects a rollout and returns its number of steps; its players wait between calls."""
    from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

    from rl_pipeline.algorithms.build import build
    from rl_pipeline.config.schema import Config
    from rl_pipeline.envs.factory import Environments

    # PPO with the given policy, in environments of its own.
    unity = {"sample_time": 0.1, "time_scale": time_scale}
    sections: dict[str, Any] = {
        "environment": {"id": "Navigation-v0", "video_wrapper": False},
        "training": {"device": "cpu", "double_buffer": halves},
        "algorithm": {
            "name": "ppo",
            "parameters": {"n_steps": N_STEPS, "batch_size": N_STEPS},
            "architecture": {"net_arch": [width, width]},
        },
        "simulation": {"n_environments": players, "ros": {"tcp_port": 0}, "unity": unity},
    }
    config = Config.model_validate(sections)
    model = build(config, stack.enter_context(Environments(config, directory)).training())
    # `learn` would also update the policy.
    assert isinstance(model, OnPolicyAlgorithm)
    _, callback = model._setup_learn(N_STEPS)

    def collect() -> int:
        assert model.env is not None
        model.collect_rollouts(model.env, callback, model.rollout_buffer, N_STEPS)
        return N_STEPS * players

    return collect
