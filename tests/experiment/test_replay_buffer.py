from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.envs import BitFlippingEnv
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.her.goal_selection_strategy import GoalSelectionStrategy
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.replay_buffer import load_replay_buffer, save_replay_buffer


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


def her(size: int = 200, steps: int = 0) -> SAC:
    venv: VecEnv = make_vec_env(lambda: BitFlippingEnv(n_bits=12, continuous=True, max_steps=7), n_envs=2)
    model = SAC(
        "MultiInputPolicy", venv, buffer_size=2 * size, learning_starts=60, batch_size=8, seed=0,
        replay_buffer_class=HerReplayBuffer, policy_kwargs={"net_arch": [4]},
    )  # fmt: skip
    return model.learn(steps) if steps else model


def episodes(buffer: HerReplayBuffer) -> list[tuple[int, tuple[bytes, ...], tuple[bytes, ...]]]:
    """Environment, observations and actions of each whole episode."""
    found = set()
    for (row, env), length in np.ndenumerate(buffer.ep_length):
        if length:
            rows = (buffer.ep_start[row, env] + np.arange(length)) % buffer.buffer_size
            observed = [buffer.next_observations["observation"][each, env].tobytes() for each in rows]
            actions = [buffer.actions[each, env].tobytes() for each in rows]
            found.add((env, tuple(observed), tuple(actions)))
    return sorted(found)


@pytest.mark.parametrize(("size", "smaller"), [(200, 200), (40, 40), (40, 25)], ids=["part", "full", "smaller"])
def test_a_hindsight_buffer_keeps_its_episodes(tmp_path: Path, size: int, smaller: int) -> None:
    model, other = her(size, 146), her(smaller)
    save_replay_buffer(model, tmp_path / "replay_buffer.pkl")
    assert isinstance(model.replay_buffer, HerReplayBuffer)
    assert isinstance(other.replay_buffer, HerReplayBuffer)
    assert load_replay_buffer(other, tmp_path / "replay_buffer.pkl") == min(73, smaller)
    model.replay_buffer.truncate_last_trajectory()
    expected, found = episodes(model.replay_buffer), episodes(other.replay_buffer)
    assert found
    assert set(found) <= set(expected)
    assert smaller < size or found == expected
    other.learning_starts = 0
    other.learn(80)


def test_stable_baselines3_loads_a_hindsight_buffer_too(tmp_path: Path) -> None:
    model, other = her(steps=144), her()
    save_replay_buffer(model, tmp_path / "replay_buffer.pkl")
    with pytest.warns(UserWarning, match="last trajectory"):
        other.load_replay_buffer(tmp_path / "replay_buffer.pkl")
    assert other.replay_buffer is not None
    assert len(other.replay_buffer.sample(8).rewards) == 8


def test_a_hindsight_buffer_is_read_though_an_enum_pickles_itself_as_getattr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11.2 of Debian 12 does; later ones write a call of the class."""
    monkeypatch.setattr(
        GoalSelectionStrategy, "__reduce_ex__", lambda member, protocol: (getattr, (type(member), member.name))
    )
    save_replay_buffer(her(steps=146), tmp_path / "replay_buffer.pkl")
    assert load_replay_buffer(her(), tmp_path / "replay_buffer.pkl") == 73


def test_a_hindsight_buffer_without_a_whole_episode_is_refused(tmp_path: Path) -> None:
    save_replay_buffer(her(steps=140), tmp_path / "replay_buffer.pkl")
    with pytest.raises(InputError, match="no whole episode fits"):
        load_replay_buffer(her(2), tmp_path / "replay_buffer.pkl")


def test_a_buffer_of_several_steps_a_target_is_written(tmp_path: Path) -> None:
    venv: VecEnv = make_vec_env("CartPole-v1", n_envs=1)
    models = [DQN("MlpPolicy", venv, buffer_size=50, n_steps=3, learning_starts=5, seed=0) for _ in range(2)]
    save_replay_buffer(models[0].learn(20), tmp_path / "replay_buffer.pkl")
    assert load_replay_buffer(models[1], tmp_path / "replay_buffer.pkl") == 20


def test_a_buffer_of_a_class_of_ones_own_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Prioritised(ReplayBuffer):
        pass

    venv: VecEnv = make_vec_env("CartPole-v1", n_envs=1)
    save_replay_buffer(DQN("MlpPolicy", venv, buffer_size=50, replay_buffer_class=Prioritised), tmp_path / "b.pkl")
    assert "b.pkl is not written: a Prioritised could not be read again" in caplog.text
    assert not list(tmp_path.iterdir())


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
