"""What many worlds in one player are worth: the worlds benchmark.

Embedded players on both sides, physics, lidar, decoding, rewards and ends of episodes included. Both cases are measured
in turn, several times over, so that a machine that is busy is so for both.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tasks.navigation import NavigationTask

WORLDS: Final = 16
WARM_UP: Final = 0.2
_ACTIONS: Final = 256

Step = Callable[[int], object]
"""Steps all environments of a case with the actions of this number."""


@dataclass
class Case:
    """Players of so many worlds each.

    Attributes:
        players: player processes.
        worlds: environments of each.
        rates: environment steps per second, one a repetition.
    """

    players: int
    worlds: int
    rates: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is, in words."""
        return f"{self.players} players of {self.worlds} world{'s' if self.worlds > 1 else ''}"

    @property
    def environments(self) -> int:
        """Environments in all."""
        return self.players * self.worlds


@dataclass
class Measurement:
    """Both cases of one run, as `rl-pipeline benchmark worlds` prints them.

    Attributes:
        single: players of one world.
        many: players of many worlds.
        physics: environment steps per second if every core did nothing but MuJoCo's steps and rays, one a repetition.
    """

    single: Case
    many: Case
    physics: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """How many times as fast the many are, one a repetition."""
        return [many / single for many, single in zip(self.many.rates, self.single.rates, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Everything measured, with medians."""
        return {
            "cases": [
                asdict(case) | {"median_rate": statistics.median(case.rates)} for case in (self.single, self.many)
            ],
            "physics": self.physics,
            "ratios": self.ratios,
            "median_ratio": statistics.median(self.ratios),
        }


def measure_worlds(
    players: int = 16, *, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Measurement:
    """Measure `players` players of one world against a quarter as many of 16 worlds each.

    Args:
        players: players of one world.
        seconds: length of one measurement.
        repetitions: measurements of each case, interleaved.
        progress: called with what is being measured.
    """
    measurement = Measurement(Case(players, 1), Case(max(1, players // 4), WORLDS))
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        cases = (measurement.single, measurement.many)
        steps = [_opened(stack, case, directory / str(case.worlds)) for case in cases]
        physics = _physics()
        for repetition in range(repetitions):
            for case, step in zip(cases, steps, strict=True):
                progress(f"{case.name} ({repetition + 1} of {repetitions})")
                case.rates.append(_rate(step, seconds) * case.environments)
            measurement.physics.append(_rate(physics, min(seconds, 0.5)) * (os.cpu_count() or 1))
    return measurement


def _opened(stack: ExitStack, case: Case, logs: Path) -> Step:
    """Environments of one case, driving at random."""
    config = SimulationConfig.model_validate({"ros": {"tcp_port": 0}})
    task = NavigationTask()
    simulation = stack.enter_context(Simulation(config, task.scene, logs))
    env = PlayerVectorEnv(task, simulation, case.environments, worlds=case.worlds)
    env.reset(seed=0)
    actions = np.random.default_rng(0).uniform(-1.0, 1.0, (_ACTIONS, case.environments, 2)).astype(np.float32)
    return lambda number: env.step(actions[number % _ACTIONS])


def _physics() -> Step:
    """One control period of one world in this process: MuJoCo's steps and rays, and little else."""
    import mujoco

    from rl_pipeline.players.navigation.scene import NavigationScene

    scene = NavigationScene(seed=0)
    drives = np.random.default_rng(0).uniform(-1.0, 1.0, (_ACTIONS, 2))

    def step(number: int) -> None:
        scene.drive(*drives[number % _ACTIONS])
        mujoco.mj_step(scene.model, scene.data, scene.substeps)
        scene.lidar.scan(scene.data, 0.0, 0.0, 1.0, 0.0)

    return step


def _rate(step: Step, seconds: float) -> float:
    """Calls of a function per second."""
    _run_for(step, WARM_UP)
    calls, elapsed = _run_for(step, seconds)
    return calls / elapsed


def _run_for(step: Step, seconds: float) -> tuple[int, float]:
    began = time.perf_counter()
    calls = 0
    while (elapsed := time.perf_counter() - began) < seconds:
        for _ in range(4):
            step(calls)
            calls += 1
    return calls, elapsed
