"""How much of what loopback gives is left of it in an environment step: the transport benchmark.

Every case is measured in turn, several times over, against a plain echo of the same bytes between as many processes
(see echo.py), so that a machine that is slow or busy is so for all of them.
"""

from __future__ import annotations

import shlex
import statistics
import sys
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
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.run.benchmarks.echo import Echo
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tasks.navigation import NavigationTask
from rl_pipeline.transport.frames import encode_command, encode_frame

NUM_RAYS: Final = 30
WARM_UP: Final = 0.1

Round = Callable[[], object]


@dataclass
class Case:
    """One measured way to step players.

    Attributes:
        name: what it is.
        players: player processes.
        rates: environment steps per second, one a repetition.
        ratios: the same over the rate of the echo that was measured next to it.
        floor: the least ratio that is good enough; 0: there is none.
    """

    name: str
    players: int
    floor: float = 0.0
    rates: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)


@dataclass
class Measurement:
    """All cases of one run, as `rl-pipeline benchmark transport` prints them."""

    cases: list[Case]
    request_bytes: int
    response_bytes: int

    def speedups(self) -> list[tuple[str, float]]:
        """How many times as fast the batch is as each other way to step as many players."""
        _, batch, *others = self.cases
        return [
            (
                f"{batch.name}, against {other.name}",
                statistics.median(ours / theirs for ours, theirs in zip(batch.rates, other.rates, strict=True)),
            )
            for other in others
        ]

    def to_json(self) -> dict[str, Any]:
        """Everything measured, with medians."""
        return {
            "request_bytes": self.request_bytes,
            "response_bytes": self.response_bytes,
            "cases": [
                asdict(case)
                | {"median_rate": statistics.median(case.rates), "median_ratio": statistics.median(case.ratios)}
                for case in self.cases
            ],
            "speedups": dict(self.speedups()),
        }


def canned_simulation(directory: Path, *, rays: int = NUM_RAYS) -> tuple[SimulationConfig, int]:
    """Settings of a simulation whose players answer with canned bytes, and the size of one response's frames."""
    lengths = {"state.lidar.ranges": rays, "state.lidar.tags": rays}
    response = load_interfaces().service(NavigationTask.step_service).response.layout(lengths).empty(1)
    response["state.health"] = 1.0
    response["state.target.position.x"] = 3.0
    response["state.pose.orientation.w"] = 1.0
    response["state.goal_timer.required"] = 1.0
    response["state.lidar.range_max"] = 6.0
    response["state.lidar.ranges"] = 2.5
    payload = directory / "response.bin"
    payload.write_bytes(response.bytes(0))
    build = directory / "canned_player"
    script = Path(__file__).with_name("canned_player.py")
    command = shlex.join([sys.executable, "-I", "-S", str(script), str(payload)])
    build.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    build.chmod(0o755)
    config = SimulationConfig.model_validate({"ros": {"tcp_port": 0}, "unity": {"build_path": str(build)}})
    frames = encode_command("__response", nul=True, srv_id=1_000_000)
    return config, len(frames) + len(encode_frame("/navigation_0/step", response.bytes(0), nul=True))


def request_size() -> int:
    """Bytes of one step request on the wire."""
    payload = load_interfaces().service(NavigationTask.step_service).request.layout().empty(1).bytes(0)
    return len(encode_command("__request", srv_id=1_000_000)) + len(encode_frame("/navigation_0/step", payload))


def measure_transport(
    players: int = 16, *, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Measurement:
    """Measure one player, `players` players as one batch, and as many under Stable-Baselines3's SubprocVecEnv.

    Args:
        players: size of the batch.
        seconds: length of one measurement.
        repetitions: measurements of each case, interleaved.
        progress: called with what is being measured.
    """
    cases = [
        Case("1 player", 1, floor=0.35),
        Case(f"{players} players, one batch", players, floor=0.50),
        Case(f"{players} players, SubprocVecEnv", players),
    ]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        config, response_size = canned_simulation(directory)
        echoes = {
            count: stack.enter_context(Echo(count, request_size(), response_size)).round for count in {1, players}
        }
        rounds = [
            _batched(stack, config, directory / "one", 1),
            _batched(stack, config, directory / "many", players),
            _subprocesses(stack, config, players),
        ]
        for repetition in range(repetitions):
            for case, step in zip(cases, rounds, strict=True):
                progress(f"{case.name} ({repetition + 1} of {repetitions})")
                echo = _rate(echoes[case.players], case.players, seconds)
                rate = _rate(step, case.players, seconds)
                case.rates.append(rate)
                case.ratios.append(rate / echo)
    return Measurement(cases, request_size(), response_size)


def _batched(stack: ExitStack, config: SimulationConfig, logs: Path, players: int) -> Round:
    """Step `players` players as one batch: decoding, observations, rewards and ends included."""
    task = NavigationTask(NUM_RAYS, max_episode_steps=2**60)
    simulation = stack.enter_context(Simulation(config, task.scene, logs))
    env = PlayerVectorEnv(task, simulation, players)
    env.reset(seed=0)
    actions = np.ones((players, 2), np.float32)
    return lambda: env.step(actions)


def _subprocesses(stack: ExitStack, config: SimulationConfig, players: int) -> Round:
    """Step as many single environments, each with its player, in the processes of a SubprocVecEnv."""
    from stable_baselines3.common.vec_env import SubprocVecEnv

    venv = SubprocVecEnv([_SingleEnvironment(config.model_dump())] * players, start_method="forkserver")
    stack.callback(venv.close)
    venv.reset()
    actions = np.ones((players, 2), np.float32)
    return lambda: venv.step(actions)


@dataclass
class _SingleEnvironment:
    """Makes one environment in a worker of SubprocVecEnv."""

    simulation: dict[str, Any]

    def __call__(self) -> Any:
        from rl_pipeline.envs.env import PlayerEnv

        task = NavigationTask(NUM_RAYS, max_episode_steps=2**60)
        return PlayerEnv(task, simulation=self.simulation)


def _rate(round_: Round, players: int, seconds: float) -> float:
    """Environment steps per second of a function that steps all players once."""
    _run_for(round_, WARM_UP)
    rounds, elapsed = _run_for(round_, seconds)
    return rounds * players / elapsed


def _run_for(round_: Round, seconds: float) -> tuple[int, float]:
    began = time.perf_counter()
    rounds = 0
    while (elapsed := time.perf_counter() - began) < seconds:
        for _ in range(8):
            round_()
        rounds += 8
    return rounds, elapsed
