"""Tasks whose observations are dictionaries of arrays."""

from typing import ClassVar

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env

from rl_pipeline.algorithms.double_buffering import double_buffered
from rl_pipeline.envs.double_buffer import DoubleBufferedVecEnv
from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.player_env import PlayerEnv
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
from rl_pipeline.envs.task_checks import check_spaces
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.errors import InputError
from rl_pipeline.tasks.testing import TaskTestMixin
from rl_pipeline.wrappers import Use, wrap
from tests.support.dict_task import DictTask

ACTIONS = np.ones((3, 2), np.float32)


class TestDictTask(TaskTestMixin):
    lengths: ClassVar = {"lidar.ranges": 30, "lidar.tags": 30}

    def make_task(self):
        return DictTask()


def test_batch_has_an_array_a_key_and_the_last_observation_of_an_episode(simulation):
    env = PlayerVectorEnv(DictTask(), simulation(), 3, BatchSettings(horizon=2))
    first, _ = env.reset(seed=0)
    assert env.observation_space.contains(first)
    before = env.step(ACTIONS)[0]
    after, *_, truncated, info = env.step(ACTIONS)
    assert truncated.all()
    assert env.observation_space.contains(after)
    assert env.observation_space.contains(info["final_obs"])
    assert (info["final_obs"]["place"] != before["place"]).any()
    assert (after["place"] == 0.0).all()


def test_single_environment_passes_the_checker_of_stable_baselines3(settings):
    simulated = settings().model_dump(mode="json")
    env = PlayerEnv(DictTask(), simulation=simulated)
    try:
        check_env(env, warn=False, skip_render_check=True)
        observation, _ = env.reset(seed=0)
        assert env.observation_space.contains(observation)
    finally:
        env.close()


def test_adapter_of_stable_baselines3_gives_terminal_observations_through_wrappers(simulation):
    plain = PlayerVecEnv(PlayerVectorEnv(DictTask(), simulation(), 3, BatchSettings(horizon=2)))
    venv = wrap(plain, {"clip_observations": {"low": -1, "high": 1}, "action_history": True}, Use(training=True))
    venv.reset()
    venv.step(ACTIONS)
    observations, _, dones, infos = venv.step(ACTIONS)
    assert dones.all()
    last = infos[2]["terminal_observation"]
    assert venv.observation_space.contains(last)
    assert last["action_history"].tolist() == [1.0, 1.0]
    assert last["lidar"].max() == 1.0
    assert last["tags"].dtype == np.uint8
    assert observations["action_history"].tolist() == [[0.0, 0.0]] * 3


def test_invalid_number_under_a_key_ends_the_episode(simulation):
    class Broken(DictTask):
        steps = 0

        def observation(self, state):
            observation = super().observation(state)
            self.steps += 1
            if self.steps == 2:
                observation["place"][1, 0] = np.nan
            return observation

    env = PlayerVectorEnv(Broken(), simulation(), 3)
    env.reset(seed=0)
    observation, reward, _, truncated, info = env.step(ACTIONS)
    assert truncated.tolist() == [False, True, False]
    assert info["final_info"]["invalid_state"].tolist() == [False, True, False]
    assert all(np.isfinite(array).all() for array in observation.values())
    assert reward[1] == 0.0


def test_lost_player_keeps_the_last_observation(simulation):
    players = simulation(step_timeout=5.0)
    env = PlayerVectorEnv(DictTask(), players, 3)
    env.reset(seed=0)
    before = env.step(ACTIONS)[0]
    players.processes[1].stop(timeout=0)
    *_, truncated, info = env.step(ACTIONS)
    assert truncated.tolist() == [False, True, False]
    for key, array in info["final_obs"].items():
        np.testing.assert_array_equal(array[1], before[key][1])


def test_policy_learns_in_halves_of_the_batch(simulation):
    players = simulation()
    halves = [PlayerVecEnv(PlayerVectorEnv(DictTask(), players, 2, BatchSettings(horizon=5))) for _ in range(2)]

    model = double_buffered(PPO)(
        "MultiInputPolicy", DoubleBufferedVecEnv(*halves), n_steps=8, batch_size=16, n_epochs=1
    )
    model.learn(64)
    assert model.num_timesteps == 64


@pytest.mark.parametrize(
    ("space", "problem"),
    [
        (
            spaces.Dict({"inner": spaces.Dict({"x": spaces.Discrete(2)})}),
            r"observation_space\['inner'\]: expected one of",
        ),
        (spaces.Tuple([spaces.Discrete(2)]), "observation_space: expected one of Box, Discrete"),
        (spaces.Dict({"text": spaces.Text(4)}), r"observation_space\['text'\]: .*found Text"),
    ],
)
def test_spaces_that_are_not_supported_are_refused_by_name(space, problem):
    task = DictTask()
    task.observation_space = space
    with pytest.raises(InputError, match=problem):
        check_spaces(task)


def test_observation_that_is_not_of_its_space_is_refused_with_its_shapes(simulation):
    class Missing(DictTask):
        def observation(self, state):
            return {key: array for key, array in super().observation(state).items() if key != "tags"}

    with pytest.raises(
        InputError, match=r"Missing makes observations of shape \{'lidar': \(30,\).*but declares .*'tags'"
    ):
        PlayerVectorEnv(Missing(), simulation(), 1).reset()
