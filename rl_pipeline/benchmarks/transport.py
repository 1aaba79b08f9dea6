"""Rates of environment steps relative to a plain echo over loopback: the transport benchmark.

Every case is measured against an echo of the same bytes between as many processes (see echo.py), and against the usual
vector environments.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from rl_pipeline.benchmarks.canned import Round, canned_simulation, canned_task, rate_of, request_size, step_batched
from rl_pipeline.benchmarks.echo import Echo
from rl_pipeline.benchmarks.figures import TIMES, Bar, Figures, interleave, spread, times
from rl_pipeline.config.schema import SimulationConfig

NOTE: Final = (
    "Echo: as many processes, each answering the same bytes with the same bytes on loopback; it was measured next to "
    "each case, and the ratio is of those two. Median of the repetitions, with the least and the greatest."
)
SPEEDUPS: Final = {"SubprocVecEnv": 4.0, "AsyncVectorEnv": 3.0}
"""Targets of the batch, as a multiple of the rate of these vector environments."""


@dataclass
class Case:
    """A number of players and the vector environment that steps them.

    Attributes:
        name: label of the case.
        players: player processes.
        floor: target of the ratio to the echo; 0: none is set.
        rates: environment steps per second, one for each repetition.
        ratios: the same divided by the rate of the echo that was measured next to it.
    """

    name: str
    players: int
    floor: float = 0.0
    rates: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        floor = f"{self.floor:.2f}" if self.floor else ""
        rate, ratio = statistics.median(self.rates), statistics.median(self.ratios)
        return self.name, f"{rate:,.0f}", f"{ratio:.2f}", spread(self.ratios), floor


def measure_transport(
    players: int = 16, *, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Figures:
    """Measure batches of one player, `players` and four times as many, and the usual vector environments.

    Args:
        players: size of the batch, and number of processes of the other vector environments.
        seconds: length of one measurement.
        repetitions: measurements of each case, interleaved.
        progress: called with the name of each case.
    """
    cases = [
        Case("1 player", 1, floor=0.55),
        Case(f"{players} players, one batch", players, floor=0.72),
        Case(f"{4 * players} players, one batch", 4 * players, floor=0.78),
        Case(f"{players} players, SubprocVecEnv", players),
        Case(f"{players} players, AsyncVectorEnv", players),
    ]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        config, response_size = canned_simulation(directory)
        # An echo for each number of players.
        echoes = {
            count: stack.enter_context(Echo(count, request_size(), response_size)).round
            for count in {case.players for case in cases}
        }
        # A step of each case, in their order.
        rounds = [
            *(step_batched(stack, config, directory / str(case.players), case.players) for case in cases[:3]),
            _sb3_subprocesses(stack, config, players),
            _gymnasium_subprocesses(stack, config, players),
        ]
        named = [(case.name, (case, step)) for case, step in zip(cases, rounds, strict=True)]
        for case, step in interleave(named, repetitions, progress):
            # The echo comes right before its case, on a machine in the same state.
            echo = rate_of(echoes[case.players], case.players, seconds)
            rate = rate_of(step, case.players, seconds)
            case.rates.append(rate)
            case.ratios.append(rate / echo)
    return _figures(cases, response_size)


def _figures(cases: Sequence[Case], response_size: int) -> Figures:
    """Return the table and the ratios of the batch to one of four times its size and to other vector environments."""
    # The first case is a single player.
    _, batch, large, *others = cases
    growth = times(batch.rates, large.rates)
    speedups = {other.name: times(batch.rates, other.rates) for other in others}
    return Figures(
        f"Environment steps per second, {request_size()} bytes out, {response_size} back",
        ("case", "steps/s", "of the echo", "spread", "floor"),
        [case.row() for case in cases]
        + [(f"the batch against {name}", "", f"{speedup:.1f} times", "", "") for name, speedup in speedups.items()]
        + [(f"a step with {large.players} against {batch.players}", "", f"{growth:.2f} times", "", "")],
        NOTE,
        {
            "request_bytes": request_size(),
            "response_bytes": response_size,
            "cases": [
                asdict(case)
                | {"median_rate": statistics.median(case.rates), "median_ratio": statistics.median(case.ratios)}
                for case in cases
            ],
            "speedups": speedups,
            "step_time_growth": growth,
        },
        [
            *(Bar(case.name, case.ratios, case.floor) for case in cases if case.floor),
            *(_speedup_bar(batch, other) for other in others),
        ],
    )


def _speedup_bar(batch: Case, other: Case) -> Bar:
    """Return the ratio of the batch's rate to that of another vector environment as a bar."""
    values = [ours / theirs for ours, theirs in zip(batch.rates, other.rates, strict=True)]
    return Bar(other.name, values, SPEEDUPS[other.name.rpartition(" ")[2]], TIMES)


def _sb3_subprocesses(stack: ExitStack, config: SimulationConfig, players: int) -> Round:
    """Return a step of single environments, each with its player, in the processes of a SubprocVecEnv."""
    from stable_baselines3.common.vec_env import SubprocVecEnv

    venv = SubprocVecEnv([_SingleEnvironment(config.model_dump())] * players, start_method="forkserver")
    stack.callback(venv.close)
    venv.reset()
    actions = np.ones((players, 2), np.float32)
    return lambda: venv.step(actions)


def _gymnasium_subprocesses(stack: ExitStack, config: SimulationConfig, players: int) -> Round:
    """Return the same in the processes of Gymnasium's AsyncVectorEnv, with observations in shared memory."""
    from gymnasium.vector import AsyncVectorEnv

    env = AsyncVectorEnv([_SingleEnvironment(config.model_dump())] * players, shared_memory=True, context="forkserver")
    stack.callback(env.close)
    env.reset(seed=0)
    actions = np.ones((players, 2), np.float32)
    return lambda: env.step(actions)


@dataclass
class _SingleEnvironment:
    """Function that makes one environment in a worker process; a dataclass, so that it can be pickled."""

    simulation: dict[str, Any]

    def __call__(self) -> Any:
        from rl_pipeline.envs.player_env import PlayerEnv

        return PlayerEnv(canned_task(), simulation=self.simulation)
