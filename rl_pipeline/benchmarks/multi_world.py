"""What many worlds in one player are worth: the worlds benchmark.

Embedded players on both sides, physics, lidar, decoding, rewards and ends of episodes included. Both cases are measured
in turn, several times over, so that a machine that is busy is so for both.
"""

from __future__ import annotations

import itertools
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.benchmarks.canned import WARM_UP, Round, run_for
from rl_pipeline.benchmarks.figures import TIMES, Bar, Figures, interleave, spread
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.plurals import plural
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tasks.navigation import NavigationTask

NOTE: Final = (
    "Processor time: of an environment step, in all processes together; MuJoCo alone: of its steps and rays. Median of "
    "the repetitions, with the least and the greatest."
)
WORLDS: Final = 16
REACH: Final = 6.0
_ACTIONS: Final = 256


@dataclass
class Case:
    """Players of so many worlds each.

    Attributes:
        players: player processes.
        worlds: environments of each.
        rates: environment steps per second, one a repetition.
        costs: processor time of an environment step, trainer and players together, in microseconds; one a repetition.
    """

    players: int
    worlds: int
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is, in words."""
        players, worlds = plural(self.players, "player"), plural(self.worlds, "world")
        return f"{self.players} {players} of {self.worlds} {worlds}"

    @property
    def environments(self) -> int:
        """Environments in all."""
        return self.players * self.worlds

    def row(self) -> tuple[str, ...]:
        """Cells of the table."""
        rate, cost = statistics.median(self.rates), statistics.median(self.costs)
        return self.name, f"{rate:,.0f}", f"{min(self.rates):,.0f} to {max(self.rates):,.0f}", f"{cost:.0f} us"


def measure_worlds(
    players: int = 16, *, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Figures:
    """Measure `players` players of one world against a quarter as many of 16 worlds each.

    Args:
        players: players of one world.
        seconds: length of one measurement.
        repetitions: measurements of each case, interleave.
        progress: called with what is being measured.
    """
    single, many = Case(players, 1), Case(max(1, players // 4), WORLDS)
    alone: list[float] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        named = [(case.name, (case, *_opened(stack, case, directory / str(case.worlds)))) for case in (single, many)]
        physics = _physics()
        for case, step, processes in interleave(named, repetitions, progress):
            rate, cost = _measure(step, seconds, processes)
            case.rates.append(rate * case.environments)
            case.costs.append(cost / case.environments)
            alone.append(_measure(physics, min(seconds, 0.5), [os.getpid()])[1])
    ratios = [ours / theirs for ours, theirs in zip(many.rates, single.rates, strict=True)]
    return Figures(
        "Environment steps per second, embedded players",
        ("case", "steps/s", "spread", "processor time"),
        [
            single.row(),
            many.row(),
            ("MuJoCo alone", "", "", f"{statistics.median(alone):.0f} us"),
            ("many worlds, against one", f"{statistics.median(ratios):.1f} times", spread(ratios), ""),
        ],
        NOTE,
        {"cases": [asdict(single), asdict(many)], "physics": alone, "ratios": ratios},
        [Bar(f"{many.name} against {single.name}", ratios, REACH, TIMES)],
    )


def _opened(stack: ExitStack, case: Case, logs: Path) -> tuple[Round, list[int]]:
    """Environments of one case, driving at random, and the ids of all processes that take part."""
    config = SimulationConfig.model_validate({"ros": {"tcp_port": 0}})
    task = NavigationTask()
    simulation = stack.enter_context(Simulation(config, task.scene, logs))
    env = PlayerVectorEnv(task, simulation, case.environments, BatchSettings(worlds=case.worlds))
    env.reset(seed=0)
    actions = itertools.cycle(_drives(case.environments).astype(np.float32))
    players = [process.pid for process in simulation.processes.values()]
    return lambda: env.step(next(actions)), [os.getpid(), *players]


def _drives(environments: int) -> NDArray[np.float64]:
    """Random actions, shape (different ones, environments, 2)."""
    return np.random.default_rng(0).uniform(-1.0, 1.0, (_ACTIONS, environments, 2))


def _physics() -> Round:
    """One control period of one world in this process: MuJoCo's steps and rays, and little else."""
    import mujoco

    from rl_pipeline.players.navigation.scene import NavigationScene

    scene = NavigationScene(seed=0)
    drives = itertools.cycle(_drives(1)[:, 0])

    def step() -> None:
        scene.drive(*next(drives))
        mujoco.mj_step(scene.model, scene.data, scene.substeps)
        scene.lidar.scan(scene.data, 0.0, 0.0, 1.0, 0.0)

    return step


def _measure(step: Round, seconds: float, processes: Sequence[int]) -> tuple[float, float]:
    """Calls of a function per second, and the processor time of one in these processes, in microseconds."""
    run_for(step, WARM_UP)
    before = _processor_time(processes)
    calls, elapsed = run_for(step, seconds)
    return calls / elapsed, (_processor_time(processes) - before) / calls * 1e6


def _processor_time(processes: Sequence[int]) -> float:
    """Seconds of processor time, user and system, that these processes have taken so far (Linux's /proc)."""
    ticks = 0
    for process in processes:
        # The name, in parentheses, may hold anything.
        user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
        ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")
