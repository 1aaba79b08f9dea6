from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3 import DQN
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.replay_buffer import load_replay_buffer, save_replay_buffer


def dqn(size: int = 100, n_envs: int = 1, environment: str = "CartPole-v1") -> DQN:
    venv: VecEnv = make_vec_env(environment, n_envs=n_envs)
    return DQN("MlpPolicy", venv, buffer_size=size * n_envs, learning_starts=5, seed=0, policy_kwargs={"net_arch": [8]})


@pytest.mark.parametrize("steps", [30, 130])
def test_what_is_saved_comes_back_in_order(tmp_path: Path, steps: int) -> None:
    model, other = dqn().learn(steps), dqn()
    save_replay_buffer(model, tmp_path / "replay_buffer.pkl")
    filled = load_replay_buffer(other, tmp_path / "replay_buffer.pkl")
    source, target = model.replay_buffer, other.replay_buffer
    assert source is not None
    assert target is not None
    assert filled == source.size()
    start = source.pos if source.full else 0
    order = np.roll(np.arange(filled), -start)
    assert np.array_equal(source.observations[:filled][order], target.observations[:filled])
    assert np.array_equal(source.rewards[:filled][order], target.rewards[:filled])
    assert target.full == source.full


def test_a_smaller_buffer_takes_the_newest(tmp_path: Path) -> None:
    model, other = dqn().learn(60), dqn(size=20)
    save_replay_buffer(model, tmp_path / "replay_buffer.pkl")
    assert load_replay_buffer(other, tmp_path / "replay_buffer.pkl") == 20
    assert model.replay_buffer is not None
    assert other.replay_buffer is not None
    assert np.array_equal(other.replay_buffer.observations[:20], model.replay_buffer.observations[40:60])


def test_only_the_filled_part_is_written(tmp_path: Path) -> None:
    save_replay_buffer(dqn(size=100_000).learn(10), tmp_path / "replay_buffer.pkl")
    assert (tmp_path / "replay_buffer.pkl").stat().st_size < 20_000


def test_stable_baselines3_loads_the_file_too(tmp_path: Path) -> None:
    model, other = dqn().learn(30), dqn()
    save_replay_buffer(model, tmp_path / "replay_buffer.pkl")
    other.load_replay_buffer(tmp_path / "replay_buffer.pkl")
    assert other.replay_buffer is not None
    assert model.replay_buffer is not None
    assert other.replay_buffer.size() == model.replay_buffer.size()


def test_another_number_of_environments_is_refused(tmp_path: Path) -> None:
    save_replay_buffer(dqn().learn(30), tmp_path / "replay_buffer.pkl")
    with pytest.raises(InputError, match=r"observations of shape \(1, 4\) do not fit this run's \(2, 4\)"):
        load_replay_buffer(dqn(n_envs=2), tmp_path / "replay_buffer.pkl")


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_a_forged_pickle_is_refused_unexecuted(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    (tmp_path / "replay_buffer.pkl").write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(InputError, match=r"is not a replay buffer that can be read: a replay buffer does not contain"):
        load_replay_buffer(dqn(), tmp_path / "replay_buffer.pkl")
    assert not sprung.exists()
