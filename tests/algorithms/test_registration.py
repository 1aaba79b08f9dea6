from __future__ import annotations

import subprocess
import sys

import pytest

from rl_pipeline.algorithms import registration
from rl_pipeline.algorithms.registration import algorithm_names, find_algorithm, register_algorithm
from rl_pipeline.errors import InputError, UnknownNameError

NAMES = ["a2c", "ars", "crossq", "ddpg", "dqn", "ppo", "qrdqn", "recurrent_ppo", "sac", "td3", "tqc", "trpo"]


def test_every_algorithm_of_the_issue_is_there() -> None:
    assert set(NAMES) <= set(algorithm_names())


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("PPO", "ppo"), ("RecurrentPPO", "recurrent_ppo"), ("qr_dqn", "qrdqn"), ("QR-DQN", "qrdqn"), ("CrossQ", "crossq")],
)
def test_any_spelling_finds_the_algorithm(spelling: str, name: str) -> None:
    assert find_algorithm(spelling).name == name


@pytest.mark.parametrize("name", NAMES)
def test_the_class_loads(name: str) -> None:
    assert find_algorithm(name).load().__name__.lower() == name.replace("_", "")


def test_an_unknown_algorithm_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"algorithm.name: unknown algorithm 'pp0'; did you mean .*'ppo'"):
        find_algorithm("pp0")


def test_a_name_can_be_taken_only_once() -> None:
    with pytest.raises(InputError, match=r"'PPO' is registered already, as stable_baselines3:PPO"):
        register_algorithm("PPO", "elsewhere:PPO")


def test_a_class_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for table in ("_entries", "_names"):
        monkeypatch.setattr(registration.ALGORITHMS, table, dict(getattr(registration.ALGORITHMS, table)))
    register_algorithm("nowhere_to_be_found", "no_such_module:Algorithm")
    with pytest.raises(InputError, match=r"cannot import no_such_module:Algorithm"):
        find_algorithm("nowhere_to_be_found").load()


def test_looking_up_a_name_imports_no_torch() -> None:
    code = "import sys, rl_pipeline.algorithms as a; a.find_algorithm('ppo'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
