"""Simulations of players that answer with canned bytes, and the rate at which they are stepped.

Shared by the benchmarks of the link between trainer and players.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.task import Task
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.interfaces.multi_world import batched_service, response_lengths
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tasks.navigation import NavigationTask
from rl_pipeline.transport.frames import encode_command, encode_frame

NUM_RAYS: Final = 30
WARM_UP: Final = 0.1
"""Seconds of stepping before each measurement."""
ROUNDS_PER_CHECK: Final = 8
"""Rounds between two readings of the clock, which would otherwise be measured too."""

Round = Callable[[], object]
"""Function that steps all players once."""


def canned_task() -> NavigationTask:
    """Return the navigation task, with episodes that never end."""
    return NavigationTask(NUM_RAYS, max_episode_steps=2**60)


def canned_simulation(
    directory: Path, *, rays: int = NUM_RAYS, image: bytes = b"", worlds: int = 1, options: Sequence[str] = ()
) -> tuple[SimulationConfig, int]:
    """Return the settings of a simulation of canned players, and the bytes of one response on the wire.

    Args:
        directory: folder for the players' executable and their response.
        rays: lidar rays in the response.
        image: bytes of the image in the response, raw or compressed.
        worlds: worlds of each player.
        options: further arguments of canned_player.py.
    """
    lengths = {"state.lidar.ranges": rays, "state.lidar.tags": rays, "image.data": len(image)}
    service = load_interfaces().service(NavigationTask.step_service)
    if worlds > 1:
        service, lengths = batched_service(service.name), response_lengths(lengths, worlds)
    # A healthy vehicle at the origin, a goal 3 m ahead, and walls at 2.5 m: no episode ends.
    response = service.response.layout(lengths).empty(1)
    response["state.health"] = 1.0
    response["state.target.position.x"] = 3.0
    response["state.pose.orientation.w"] = 1.0
    response["state.goal_timer.required"] = 1.0
    response["state.lidar.range_max"] = 6.0
    response["state.lidar.ranges"] = 2.5
    response["image.data"] = np.frombuffer(image, np.uint8)
    payload = directory / "response.bin"
    payload.write_bytes(response.bytes(0))
    # -I -S: without site-packages, a player starts in milliseconds.
    build = directory / "canned_player"
    script = Path(__file__).parent / "peers" / "canned_player.py"
    command = shlex.join([sys.executable, "-I", "-S", str(script), str(payload), *options])
    build.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    build.chmod(0o755)
    config = SimulationConfig.model_validate({"ros": {"tcp_port": 0}, "unity": {"build_path": str(build)}})
    # A response is a command with the id of the request, and the frame of the payload.
    frames = encode_command("__response", nul=True, srv_id=1_000_000)
    return config, len(frames) + len(encode_frame("/navigation_0/step", response.bytes(0), nul=True))


def request_size() -> int:
    """Return the bytes of one step request on the wire."""
    payload = load_interfaces().service(NavigationTask.step_service).request.layout().empty(1).bytes(0)
    return len(encode_command("__request", srv_id=1_000_000)) + len(encode_frame("/navigation_0/step", payload))


def step_batched(
    stack: ExitStack, config: SimulationConfig, logs: Path, players: int, task: Task | None = None, *, worlds: int = 1
) -> Round:
    """Return a function that steps players as one batch, including decoding, observations, rewards and ends.

    Args:
        stack: closes environments and players.
        config: settings of the simulation.
        logs: folder for player logs.
        players: player processes.
        task: the task; None: the canned one.
        worlds: environments of each player.
    """
    task = task or canned_task()
    # Start the players and begin their first episodes, which do not end.
    simulation = stack.enter_context(Simulation(config, task.scene, logs))
    env = PlayerVectorEnv(task, simulation, players * worlds, BatchSettings(worlds=worlds))
    stack.callback(env.close)
    env.reset(seed=0)
    actions = np.ones((players * worlds, 2), np.float32)
    return lambda: env.step(actions)


def rate_of(round_: Round, players: int, seconds: float) -> float:
    """Return environment steps per second of a function that steps all players once."""
    run_for(round_, WARM_UP)
    rounds, elapsed = run_for(round_, seconds)
    return rounds * players / elapsed


def run_for(round_: Round, seconds: float) -> tuple[int, float]:
    """Call a function for about so many seconds; returns the number of calls and the seconds they took."""
    began = time.perf_counter()
    rounds = 0
    while (elapsed := time.perf_counter() - began) < seconds:
        for _ in range(ROUNDS_PER_CHECK):
            round_()
        rounds += ROUNDS_PER_CHECK
    return rounds, elapsed
