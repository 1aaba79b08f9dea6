"""Gain by many worlds in one player: the worlds benchmark.

Embedded players on both sides, with physics, lidar, decoding, rewards and ends of episodes.
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
"""Different random actions, used in turn."""


@dataclass
class Case:
    """Players with a number of worlds each.

    Attributes:
        players: player processes.
        worlds: environments of each.
        rates: environment steps per second, one for each repetition.
        costs: microseconds of processor time of an environment step, of trainer and players together, one for each
            repetition.
    """

    players: int
    worlds: int
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Label of the case."""
        players, worlds = plural(self.players, "player"), plural(self.worlds, "world")
        return f"{self.players} {players} of {self.worlds} {worlds}"

    @property
    def environments(self) -> int:
        """Number of environments."""
        return self.players * self.worlds

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        rate, cost = statistics.median(self.rates), statistics.median(self.costs)
        return self.name, f"{rate:,.0f}", f"{min(self.rates):,.0f} to {max(self.rates):,.0f}", f"{cost:.0f} us"


def measure_worlds(
    players: int = 16, *, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Figures:
    """Measure `players` players of one world against a quarter as many of 16 worlds each.

    Args:
        players: players of one world.
        seconds: length of one measurement.
        repetitions: measurements of each case, interleaved.
        progress: called with the name of each case.
    """
    single, many = Case(players, 1), Case(max(1, players // 4), WORLDS)
    physics_costs: list[float] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        named = [(case.name, (case, *_open_case(stack, case, directory / str(case.worlds)))) for case in (single, many)]
        physics = _make_physics_step()
        for case, step, processes in interleave(named, repetitions, progress):
            # A step of a case is one of each environment.
            rate, cost = _measure(step, seconds, processes)
            case.rates.append(rate * case.environments)
            case.costs.append(cost / case.environments)
            physics_costs.append(_measure(physics, min(seconds, 0.5), [os.getpid()])[1])
    ratios = [ours / theirs for ours, theirs in zip(many.rates, single.rates, strict=True)]
    return Figures(
        "Environment steps per second, embedded players",
        ("case", "steps/s", "spread", "processor time"),
        [
            single.row(),
            many.row(),
            ("MuJoCo alone", "", "", f"{statistics.median(physics_costs):.0f} us"),
            ("many worlds, against one", f"{statistics.median(ratios):.1f} times", spread(ratios), ""),
        ],
        NOTE,
        {"cases": [asdict(single), asdict(many)], "physics": physics_costs, "ratios": ratios},
        [Bar(f"{many.name} against {single.name}", ratios, REACH, TIMES)],
    )


def _open_case(stack: ExitStack, case: Case, logs: Path) -> tuple[Round, list[int]]:
    """Start the environments of a case; returns a step with random actions, and the ids of all its processes."""
    config = SimulationConfig.model_validate({"ros": {"tcp_port": 0}})
    task = NavigationTask()
    simulation = stack.enter_context(Simulation(config, task.scene, logs))
    env = PlayerVectorEnv(task, simulation, case.environments, BatchSettings(worlds=case.worlds))
    env.reset(seed=0)
    actions = itertools.cycle(_random_actions(case.environments).astype(np.float32))
    players = [process.pid for process in simulation.processes.values()]
    return lambda: env.step(next(actions)), [os.getpid(), *players]


def _random_actions(environments: int) -> NDArray[np.float64]:
    """Return random actions, shape (_ACTIONS, environments, 2)."""
    return np.random.default_rng(0).uniform(-1.0, 1.0, (_ACTIONS, environments, 2))


def _make_physics_step() -> Round:
    """Return a control period of one world in this process: only MuJoCo's steps and rays."""
    import mujoco

    from rl_pipeline.players.navigation.scene import NavigationScene

    # The parts of a step that no player can do without.
    scene = NavigationScene(seed=0)
    actions = itertools.cycle(_random_actions(1)[:, 0])

    def step() -> None:
        scene.drive(*next(actions))
        mujoco.mj_step(scene.model, scene.data, scene.substeps)
        scene.lidar.scan(scene.data, 0.0, 0.0, 1.0, 0.0)

    return step


def _measure(step: Round, seconds: float, processes: Sequence[int]) -> tuple[float, float]:
    """Return calls of a function per second, and microseconds of processor time of a call in these processes."""
    run_for(step, WARM_UP)
    before = _processor_time(processes)
    calls, elapsed = run_for(step, seconds)
    return calls / elapsed, (_processor_time(processes) - before) / calls * 1e6


def _processor_time(processes: Sequence[int]) -> float:
    """Return seconds of processor time, user and system, of these processes so far, from Linux's /proc."""
    ticks = 0
    for process in processes:
        # The name, in parentheses, may contain spaces and parentheses.
        user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
        ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")
