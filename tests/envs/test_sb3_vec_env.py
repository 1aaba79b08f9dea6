import os
import signal

import numpy as np
import pytest
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecNormalize

from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
from rl_pipeline.envs.unwrapping import request_frames
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tasks.navigation import NavigationTask


@pytest.fixture
def venv(settings, tmp_path):
    with Simulation(settings(), "navigation", tmp_path) as simulation:
        task = NavigationTask(max_episode_steps=3)
        yield PlayerVecEnv(PlayerVectorEnv(task, simulation, 2, BatchSettings(frames=True), seed=4))


def test_end_of_an_episode_tells_what_stable_baselines3_asks(venv):
    venv.reset()
    total = np.zeros(2)
    for _ in range(2):
        _, reward, done, infos = venv.step(np.ones((2, 2), np.float32))
        total += reward
        assert not done.any()
        assert infos == [{}, {}]
    observation, reward, done, infos = venv.step(np.ones((2, 2), np.float32))
    assert reward.dtype == np.float32
    assert done.all()
    for index, info in enumerate(infos):
        assert info["TimeLimit.truncated"] is True
        assert info["terminal_observation"].shape == observation[index].shape
        assert info["episode"]["l"] == 3
        assert info["episode"]["r"] == pytest.approx(total[index] + reward[index], abs=1e-4)
        assert info["is_success"] is np.False_ or info["is_success"] is False
        assert "player_lost" not in info


def test_lost_player_is_told(venv):
    venv.reset()
    os.kill(venv.env._batch._simulation.processes[0].pid, signal.SIGKILL)
    _, _, done, infos = venv.step(np.ones((2, 2), np.float32))
    assert done.tolist() == [True, False]
    assert infos[0]["player_lost"]
    assert infos[0]["TimeLimit.truncated"] is True


def test_seed_restarts_the_sequence_of_episodes(venv):
    venv.seed(9)
    first = venv.reset()
    following = venv.reset()
    venv.seed(9)
    np.testing.assert_array_equal(venv.reset(), first)
    assert (following != first).any()


def test_episodes_count_as_monitored(venv):
    assert venv.env_is_wrapped(Monitor) == [True, True]


def test_frames_are_asked_for_through_wrappers_and_of_the_first_environment_only(venv):
    wrapped = VecNormalize(venv)
    request_frames(wrapped, True)
    assert venv.env.rendering.tolist() == [True, False]
    request_frames(wrapped, False)
    assert not venv.env.rendering.any()
