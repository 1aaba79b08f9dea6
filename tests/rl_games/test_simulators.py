"""Environments that are registered: found by name in two steps, and stepped as Stable-Baselines3 expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.factory import Environments, resolve_spaces
from rl_pipeline.envs.registration import check_environment_id, make_task
from rl_pipeline.envs.simulator_vec_env import SimulatorVecEnv
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.rl_games import IVecEnv, env_configurations, vecenv
from rl_pipeline.tasks.navigation import NavigationTask


class Counters(IVecEnv):
    """Environment i counts up from the seed and ends after i + 2 steps; the end of the odd ones is that of the time."""

    def __init__(self, name: str, num_actors: int, *, final: bool = True, width: int = 1) -> None:
        self.size, self.final, self.width = num_actors, final, width
        self.start = 0

    def get_env_info(self) -> dict[str, Any]:
        return {"observation_space": spaces.Box(0, 100, (1,), np.float32), "action_space": spaces.Discrete(2)}

    def seed(self, seed: int) -> None:
        self.start = seed

    def reset(self) -> NDArray[Any]:
        self.counts = np.full((self.size, self.width), self.start)
        return self.counts

    def step(self, actions: NDArray[Any]) -> Any:
        self.counts += 1
        final = self.counts.copy()
        dones = self.counts[:, 0] - self.start >= np.arange(self.size) + 2
        self.counts[dones] = self.start
        infos: dict[str, Any] = {"time_outs": dones & (np.arange(self.size) % 2 == 1)}
        if self.final:
            infos["final_observation"] = final
        return self.counts, actions.astype(float), dones, infos


vecenv.register("COUNTERS", Counters)
env_configurations.register("Counters-v0", {"vecenv_type": "COUNTERS", "env_creator": lambda **kwargs: None})


def stepped(venv: SimulatorVecEnv, times: int) -> Any:
    venv.reset()
    for _ in range(times):
        result = venv.step(np.ones(venv.num_envs, int))
    return result


def test_an_ended_episode_tells_how_it_ended_and_another_begins() -> None:
    venv = SimulatorVecEnv(Counters("", 2), 2, "Counters")
    venv.seed(10)
    observations, rewards, dones, infos = stepped(venv, 2)
    assert observations.tolist() == [[10], [12]]
    assert dones.tolist() == [True, False]
    assert infos[0]["terminal_observation"].tolist() == [12]
    assert not infos[0]["TimeLimit.truncated"]
    assert (infos[0]["episode"]["r"], infos[0]["episode"]["l"]) == (2.0, 2)
    assert "terminal_observation" not in infos[1]
    assert rewards.dtype == np.float32
    infos = venv.step(np.ones(2, int))[3]
    assert infos[1]["TimeLimit.truncated"]


def test_without_a_final_observation_the_last_but_one_stands_in() -> None:
    infos = stepped(SimulatorVecEnv(Counters("", 1, final=False), 1, "Counters"), 2)[3]
    assert infos[0]["terminal_observation"].tolist() == [1]


def test_observations_of_another_shape_are_an_error_that_names_the_environment() -> None:
    with pytest.raises(InputError, match=r"'Counters': reset gave observations of shape \(2, 3\), expected \(2, 1\)"):
        SimulatorVecEnv(Counters("", 2, width=3), 2, "Counters").reset()


def test_a_registered_simulator_is_an_environment_like_any_other() -> None:
    config = Config.model_validate({"environment": {"id": "Counters-v0", "env_config": {"final": False}}})
    assert resolve_spaces(config)[1] == spaces.Discrete(2)
    with Environments(config, Path()) as environments:
        venv = environments.evaluation(3, seed=5)
        assert venv.reset().tolist() == [[5], [5], [5]]
    wrong = Config.model_validate({"environment": {"id": "Counters-v0", "env_config": {"finale": 1}}})
    with pytest.raises(InputError, match="Counters-v0 does not take"):
        resolve_spaces(wrong)


def test_environments_of_gymnasium_are_made_by_their_creator() -> None:
    configuration = {
        "vecenv_type": "GYMNASIUM",
        "env_creator": lambda **kwargs: gymnasium.make("CartPole-v1", **kwargs),
    }
    env_configurations.register("ShortCartPole", configuration)
    venv = vecenv.create_vec_env("ShortCartPole", 2, max_episode_steps=3)
    assert isinstance(venv, VecEnv)
    venv.seed(0)
    venv.reset()
    ends = [venv.step([0, 1])[2].tolist() for _ in range(3)]
    assert ends == [[False, False], [False, False], [True, True]]


def test_environments_on_players_are_tasks_of_their_creator() -> None:
    configuration = {"vecenv_type": "PLAYER", "env_creator": NavigationTask}
    env_configurations.register("SameNavigation-v0", configuration)
    assert check_environment_id("SameNavigation-v0") == "rl_pipeline/SameNavigation-v0"
    assert isinstance(make_task("SameNavigation-v0"), NavigationTask)


def test_names_and_types_are_registered_once_and_looked_up_with_the_nearest() -> None:
    with pytest.raises(InputError, match="environment 'Counters-v0' is registered already, of type COUNTERS"):
        env_configurations.register("Counters-v0", {"vecenv_type": "COUNTERS", "env_creator": dict})
    with pytest.raises(InputError, match="vecenv type 'PLAYER' is registered already"):
        vecenv.register("PLAYER", Counters)
    with pytest.raises(UnknownNameError, match="unknown key 'env_creater'; did you mean 'env_creator'"):
        env_configurations.register("Other", {"vecenv_type": "COUNTERS", "env_creater": dict})
    with pytest.raises(InputError, match="expected vecenv_type and env_creator, found no env_creator"):
        env_configurations.register("Other", {"vecenv_type": "COUNTERS"})
    with pytest.raises(UnknownNameError, match="unknown environment 'Counter-v0'; did you mean 'Counters-v0'"):
        vecenv.create_vec_env("Counter-v0", 1)
    env_configurations.register("Untyped", {"vecenv_type": "COUNTER", "env_creator": dict})
    with pytest.raises(UnknownNameError, match="'Untyped': unknown vecenv type 'COUNTER'; did you mean 'COUNTERS'"):
        vecenv.create_vec_env("Untyped", 1)
