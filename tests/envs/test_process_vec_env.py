"""Environments in worker processes do what they do in one process, and end with the trainer."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from rl_pipeline.envs.gymnasium_envs import process_vec_env
from rl_pipeline.envs.gymnasium_envs.process_vec_env import ProcessVecEnv
from rl_pipeline.errors import InputError
from tests.support.odd_environments import VECTOR, OddEnv

DICTIONARY = spaces.Dict({"a": VECTOR, "b": spaces.Discrete(4)})


class Hanging(OddEnv):
    def step(self, action: Any) -> Any:
        threading.Event().wait()


def cart_pole() -> gymnasium.Env[Any, Any]:
    return Monitor(gymnasium.make("CartPole-v1"))


def odd(**options: Any) -> Callable[[], gymnasium.Env[Any, Any]]:
    return functools.partial(lambda given: Monitor(OddEnv(**given)), options)


@pytest.fixture
def opened() -> Iterator[Callable[..., ProcessVecEnv]]:
    """Makes environments in two processes, and closes them."""
    made: list[ProcessVecEnv] = []

    def make(*env_fns: Any) -> ProcessVecEnv:
        made.append(ProcessVecEnv(env_fns, make_error=InputError, processes=2))
        return made[-1]

    yield make
    for venv in made:
        venv.close()


def pids(venv: ProcessVecEnv) -> list[int]:
    return [process.pid for process, _ in venv._workers if process.pid is not None]


def history(venv: VecEnv) -> list[Any]:
    venv.seed(7)
    found: list[Any] = [venv.reset()]
    for step in range(60):
        observations, rewards, dones, infos = venv.step(np.full(venv.num_envs, step % 2))
        ended = [{k: v for k, v in info.items() if k != "episode"} | {"l": info["episode"]["l"]} if done else {}
                 for done, info in zip(dones, infos, strict=True)]  # fmt: skip
        found.append((observations, rewards, dones, ended))
    return found


def test_seeds_order_and_results_are_those_of_one_process(opened: Callable[..., ProcessVecEnv]) -> None:
    in_processes, here = opened(*[cart_pole] * 5), DummyVecEnv([cart_pole] * 5)
    assert len(pids(in_processes)) == 2
    expected, found = history(here), history(in_processes)
    assert any(step[2].any() for step in expected[1:]), "or no episode would have ended"
    np.testing.assert_equal(found, expected)


def test_dictionaries_of_observations_are_joined(opened: Callable[..., ProcessVecEnv]) -> None:
    venv = opened(*[odd(observation=DICTIONARY)] * 3)
    observations: Any = venv.reset()
    assert {key: array.shape for key, array in observations.items()} == {"a": (3, 3), "b": (3,)}


def test_attributes_and_methods_are_those_of_the_environments_asked(opened: Callable[..., ProcessVecEnv]) -> None:
    venv = opened(*[odd(reward=float(index)) for index in range(5)])
    assert venv.get_attr("reward", [4, 0, -2]) == [4.0, 0.0, 3.0]
    venv.env_method("set_wrapper_attr", "reward", 9.0, indices=[3])
    assert venv.get_attr("reward") == [0.0, 1.0, 2.0, 9.0, 4.0]
    venv.set_attr("mark", 1, indices=2)
    assert venv.get_attr("mark", 2) == [1]
    assert venv.env_is_wrapped(Monitor) == [True] * 5
    assert venv.has_attr("reward")
    assert not venv.has_attr("nothing")


def test_an_error_of_an_environment_names_its_line(opened: Callable[..., ProcessVecEnv]) -> None:
    venv = opened(odd(), odd(error=ValueError("no such joint")))
    venv.reset()
    with pytest.raises(RuntimeError, match=r"ValueError: no such joint \(.*odd_environments\.py, line \d+, in step\)"):
        venv.step(np.zeros((2, 2)))


def test_a_value_that_must_not_be_returned_is_refused(opened: Callable[..., ProcessVecEnv]) -> None:
    venv = opened(odd(), odd(reward=np.array([1.0])))
    venv.reset()
    with pytest.raises(InputError, match=r"expected step\(\) to return a number as reward"):
        venv.step(np.zeros((2, 2)))


def test_a_worker_that_dies_is_named_by_its_environments(opened: Callable[..., ProcessVecEnv]) -> None:
    venv = opened(*[cart_pole] * 4)
    venv.reset()
    os.kill(pids(venv)[1], signal.SIGKILL)
    with pytest.raises(RuntimeError, match="the process of environments 2 to 3 was ended by SIGKILL"):
        venv.step(np.zeros(4, np.int64))


def test_interrupting_a_worker_leaves_it_to_the_trainer(opened: Callable[..., ProcessVecEnv]) -> None:
    venv = opened(*[cart_pole] * 2)
    for pid in pids(venv):
        os.kill(pid, signal.SIGINT)
        assert os.getpgid(pid) == pid, "or Ctrl-C at the terminal would reach it"
    assert venv.reset().shape == (2, 4)


def test_closing_ends_the_workers(
    opened: Callable[..., ProcessVecEnv], monkeypatch: pytest.MonkeyPatch, is_running: Callable[[int], bool]
) -> None:
    venv = opened(*[cart_pole] * 4)
    started = pids(venv)
    venv.close()
    venv.close()
    assert not any(map(is_running, started))
    monkeypatch.setattr(process_vec_env, "CLOSE_TIMEOUT", 0.2)
    venv = opened(Hanging, odd())
    started = pids(venv)
    venv.reset()
    venv.step_async(np.zeros((2, 2)))
    venv.close()
    assert not any(map(is_running, started))


TRAINER = """
import numpy as np
from rl_pipeline.envs.gymnasium_envs.process_vec_env import ProcessVecEnv
from tests.envs.test_process_vec_env import Hanging, odd, pids

if __name__ == "__main__":
    venv = ProcessVecEnv([odd(), Hanging], make_error=ValueError, processes=2)
    venv.reset()
    venv.step_async(np.zeros((2, 2)))
    print(*pids(venv), flush=True)
    venv.step_wait()
"""


def test_workers_end_with_a_trainer_that_is_killed(
    tmp_path: Path, eventually: Callable[..., None], is_running: Callable[[int], bool]
) -> None:
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER)
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=variables) as trainer:
        assert trainer.stdout is not None
        started = [int(pid) for pid in trainer.stdout.readline().split()]
        trainer.kill()
    assert len(started) == 2
    eventually(lambda: not any(map(is_running, started)), 30)
