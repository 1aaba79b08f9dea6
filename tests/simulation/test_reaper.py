"""Players end with their trainer even where others end its children before: Ray does when it ends a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rl_pipeline.simulation.reaper import Reaper
from tests.simulation.test_fork_server import parent_of

Eventually = Callable[..., None]
STARTS = 5


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a group of its own."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


TRAINER = """
import os, sys, time
from rl_pipeline.simulation.reaper import Reaper
reaper = Reaper()
reaper.watch(int(sys.argv[1]))
if sys.argv[2] == "forks" and os.fork() == 0:
    time.sleep(600)
print("watching", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("forks", ["alone", "forks"])
def test_a_group_ends_with_the_process_that_watched_it(
    sleeper: subprocess.Popen[bytes], forks: str, eventually: Eventually
) -> None:
    command = [sys.executable, "-c", TRAINER, str(sleeper.pid), forks]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as trainer:
        assert trainer.stdout is not None
        assert trainer.stdout.readline()
        assert sleeper.poll() is None
        trainer.kill()
        trainer.wait(20)
        eventually(lambda: sleeper.poll() == -signal.SIGKILL)
        if forks == "forks":
            os.killpg(trainer.pid, signal.SIGKILL)


def test_a_released_group_lives_on(sleeper: subprocess.Popen[bytes]) -> None:
    reaper = Reaper()
    reaper.watch(sleeper.pid)
    reaper.release(sleeper.pid)
    reaper.close()
    reaper.close()
    assert sleeper.poll() is None


def test_closing_ends_what_is_watched(sleeper: subprocess.Popen[bytes]) -> None:
    reaper = Reaper()
    reaper.watch(sleeper.pid)
    reaper.close()
    assert sleeper.wait(20) == -signal.SIGKILL


@pytest.fixture
def ray() -> Iterator[Any]:
    ray = pytest.importorskip("ray")
    for attempt in range(STARTS):
        try:
            ray.init(
                address="local", num_cpus=1, include_dashboard=False, object_store_memory=100 * 2**20,
                _node_ip_address="127.0.0.1", log_to_driver=False, configure_logging=False,
            )  # fmt: skip
            break
        except Exception as error:  # Ray's own bound of 30 s, which a busy machine exceeds
            ray.shutdown()
            if "timed out" not in str(error) or attempt + 1 == STARTS:
                raise
    yield ray
    ray.shutdown()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_player_is_left_when_ray_ends_its_worker(
    ray: Any, tmp_path: Path, eventually: Eventually, is_running: Callable[[int], bool]
) -> None:
    @ray.remote
    class Trainer:
        def start(self, logs: str) -> list[int]:
            from rl_pipeline.config.schema import SimulationConfig
            from rl_pipeline.simulation.simulation import Simulation

            config = SimulationConfig.model_validate({"ros": {"tcp_port": 0}})
            self.simulation = Simulation(config, "navigation", Path(logs))
            self.simulation.start(2)
            return [os.getpid(), *(player.pid for player in self.simulation.processes.values())]

    trainer = Trainer.remote()
    worker, *players = ray.get(trainer.start.remote(str(tmp_path)))
    assert all(map(is_running, players))
    assert {parent_of(parent_of(player)) for player in players} == {worker}  # forked, so not children
    ray.kill(trainer)
    eventually(lambda: not any(map(is_running, [worker, *players])), timeout=60.0)
