"""Whole trainings on players with one batch and with Stable-Baselines3's SubprocVecEnv: the training benchmark.

PPO with the hyperparameters of `navigation_ppo` learns on embedded players, stepped as one batch or by as many worker
processes, each with one environment and one player. Everything else is equal.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from rl_pipeline.benchmarks.figures import TIMES, Bar, Figures, interleave, spread, times
from rl_pipeline.config.schema import SimulationConfig

NOTE: Final = (
    "PPO as in navigation_ppo, embedded players on both sides, collecting and learning included. Return: mean of the "
    "episodes in the last quarter of the steps, all repetitions together, with its standard error."
)
REACH: Final = 1.3
"""Target of the ratio of the rates."""


@dataclass
class Side:
    """One way to step the players of a training.

    Attributes:
        name: label of the side.
        rates: environment steps per second, one for each training.
        timesteps: environment steps at which episodes ended, one list for each training.
        returns: of these episodes.
    """

    name: str
    rates: list[float] = field(default_factory=list)
    timesteps: list[list[int]] = field(default_factory=list)
    returns: list[list[float]] = field(default_factory=list)

    def last_returns(self, total: int) -> list[float]:
        """Return the returns of the episodes in the last quarter of trainings of `total` steps."""
        return [
            value
            for timesteps, returns in zip(self.timesteps, self.returns, strict=True)
            for step, value in zip(timesteps, returns, strict=True)
            if step > 0.75 * total
        ]

    def row(self, total: int) -> tuple[str, ...]:
        """Return the cells of the table."""
        mean, error = mean_and_error(self.last_returns(total))
        spread_ = f"{min(self.rates):,.0f} to {max(self.rates):,.0f}"
        return self.name, f"{statistics.median(self.rates):,.0f}", spread_, f"{mean:.1f} ± {error:.1f}", ""


def measure_training(
    players: int = 8, *, timesteps: int = 81_920, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Figures:
    """Train on `players` players on both sides, once for each repetition, with another seed each time.

    Args:
        players: players of each side.
        timesteps: length of a training, environment steps summed over the players.
        repetitions: trainings of each side, interleave.
        progress: called with the name of each case.
    """
    # Train, with the same environments in all repetitions.
    ours, theirs = Side("one batch"), Side("SubprocVecEnv")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        sides = [
            (ours.name, (ours, _open_batch(stack, directory, players))),
            (theirs.name, (theirs, _open_subprocesses(stack, players))),
        ]
        for side, venv in interleave(sides, repetitions, progress):
            _train(side, venv, timesteps, seed=len(side.rates))
    # Compare rates and returns.
    title = f"PPO on {players} embedded players, {timesteps:,} steps"
    gains = [a / b for a, b in zip(ours.rates, theirs.rates, strict=True)]
    apart = _standard_errors_apart(ours, theirs, timesteps)
    return Figures(
        title,
        ("players stepped by", "steps/s", "spread", "return at the end", "reach"),
        [
            ours.row(timesteps),
            theirs.row(timesteps),
            (
                "gain",
                f"{times(ours.rates, theirs.rates):.2f} times",
                spread(gains),
                "" if apart is None else f"{apart:.1f} errors apart",
                f"{REACH} times",
            ),
        ],
        NOTE,
        {"timesteps": timesteps, "ours": asdict(ours), "theirs": asdict(theirs), "returns_apart": apart},
        [Bar(f"PPO end to end, {players} players, SubprocVecEnv", gains, REACH, TIMES)],
        lambda path: _draw(path, (ours, theirs), title, timesteps),
    )


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """Return the mean and its standard error; NaN for fewer than two values."""
    if len(values) < 2:
        return (values[0] if values else float("nan")), float("nan")
    return statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5


def _standard_errors_apart(ours: Side, theirs: Side, total: int) -> float | None:
    """Return the difference of the final returns in standard errors; beyond about 2, it is unlikely to be chance.

    None if too few episodes ended.
    """
    (a, error_a), (b, error_b) = (mean_and_error(side.last_returns(total)) for side in (ours, theirs))
    apart = abs(a - b) / np.hypot(error_a, error_b)
    return float(apart) if np.isfinite(apart) else None


def _open_batch(stack: ExitStack, directory: Path, players: int) -> Any:
    """Return environments that step all players as one batch."""
    from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
    from rl_pipeline.envs.vector_env import PlayerVectorEnv
    from rl_pipeline.simulation.simulation import Simulation
    from rl_pipeline.tasks.navigation import NavigationTask

    config = SimulationConfig.model_validate({"ros": {"tcp_port": 0}})
    task = NavigationTask()
    simulation = stack.enter_context(Simulation(config, task.scene, directory / "logs"))
    venv = PlayerVecEnv(PlayerVectorEnv(task, simulation, players))
    stack.callback(venv.close)
    return venv


def _open_subprocesses(stack: ExitStack, players: int) -> Any:
    """Return as many worker processes with a single environment each."""
    from stable_baselines3.common.vec_env import SubprocVecEnv, VecMonitor

    venv = VecMonitor(SubprocVecEnv([_single_environment] * players, start_method="forkserver"))
    stack.callback(venv.close)
    return venv


def _single_environment() -> Any:
    from rl_pipeline.envs.player_env import PlayerEnv

    return PlayerEnv("rl_pipeline/Navigation-v0")


def _train(side: Side, venv: Any, timesteps: int, seed: int) -> None:
    """Train once, and add rate and returns to the side."""
    from rl_pipeline.algorithms.build import build
    from rl_pipeline.config import load_config

    settings = [f"training.total_timesteps={timesteps}", f"training.seed={seed}", "training.device=cpu"]
    model = build(load_config("navigation_ppo", overrides=settings), venv)
    # The Monitor reports an episode in the info of its last step.
    ends: list[tuple[int, float]] = []

    def record(local_variables: dict[str, Any], _: dict[str, Any]) -> bool:
        for info in local_variables["infos"]:
            if "episode" in info:
                ends.append((model.num_timesteps, float(info["episode"]["r"])))
        return True

    began = time.perf_counter()
    model.learn(timesteps, record)
    side.rates.append(model.num_timesteps / (time.perf_counter() - began))
    side.timesteps.append([step for step, _ in ends])
    side.returns.append([value for _, value in ends])


def _draw(path: Path, sides: Sequence[Side], title: str, timesteps: int) -> None:
    from rl_pipeline.benchmarks.charts import Training, draw_learning

    curves = {
        side.name: [Training(*each) for each in zip(side.rates, side.timesteps, side.returns, strict=True)]
        for side in sides
    }
    draw_learning(path, title, curves, timesteps)
