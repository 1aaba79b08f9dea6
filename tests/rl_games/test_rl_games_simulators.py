"""Environments registered as rl_games' users register them: its types, its RayVecEnv copied, its seeds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import yaml
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.factory import Environments, resolve_spaces
from rl_pipeline.envs.registration import make_task
from rl_pipeline.errors import InputError
from rl_pipeline.rl_games import IVecEnv, env_configurations, vecenv
from rl_pipeline.tasks.navigation import NavigationTask
from tests.rl_games.conftest import changed


class Worker:
    """One environment of the older interface, as rl_games' RayWorker holds it."""

    def __init__(self, config_dict: dict[str, Any], config_name: str, config: dict[str, Any]) -> None:
        self.env = config_dict[config_name]["env_creator"](**config)

    def step(self, action: Any) -> Any:
        state, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            state = self.reset()
        return state, reward, terminated or truncated, {**info, "TimeLimit.truncated": truncated}

    def reset(self) -> Any:
        return self.env.reset()[0]

    def seed(self, seed: int) -> None:
        self.env.reset(seed=seed)


class CopiedRayVecEnv(IVecEnv):
    """A copy of rl_games' RayVecEnv: `seed` is a value, infos are a list, masks are said to be there."""

    def __init__(self, config_dict: dict[str, Any], config_name: str, num_actors: int, **kwargs: Any) -> None:
        self.config_dict = config_dict
        self.config_name = config_name
        self.num_actors = num_actors
        self.use_torch = False
        self.seed = kwargs.pop("seed", None)
        self.workers = [Worker(config_dict, config_name, kwargs) for _ in range(num_actors)]
        if self.seed is not None:
            for index, worker in enumerate(self.workers):
                worker.seed(self.seed + index)

    def step(self, actions: NDArray[Any]) -> Any:
        results = [worker.step(action) for action, worker in zip(actions, self.workers, strict=True)]
        states, rewards, dones, infos = (list(column) for column in zip(*results, strict=True))
        return np.stack(states), np.stack(rewards), np.stack(dones), infos

    def get_env_info(self) -> dict[str, Any]:
        env = self.workers[0].env
        return {"action_space": env.action_space, "observation_space": env.observation_space, "state_space": None}

    def has_action_masks(self) -> bool:
        return True

    def reset(self) -> Any:
        return np.stack([worker.reset() for worker in self.workers])


def short_cartpole(**kwargs: Any) -> Any:
    return gymnasium.make("CartPole-v1", **kwargs)


def copied(config_name: str, num_actors: int, **kwargs: Any) -> CopiedRayVecEnv:
    return CopiedRayVecEnv(env_configurations.configurations, config_name, num_actors, **kwargs)


vecenv.register("COPYRAY", copied)
env_configurations.register("CopiedRay-v0", {"vecenv_type": "COPYRAY", "env_creator": short_cartpole})


def test_a_copy_of_the_vector_environment_of_rl_games_is_stepped() -> None:
    config = Config.model_validate({"environment": {"id": "CopiedRay-v0", "env_config": {"max_episode_steps": 3}}})
    assert resolve_spaces(config)[1] == spaces.Discrete(2)
    with Environments(config, Path()) as environments:
        venv = environments.evaluation(2, seed=5)
        venv.reset()
        for _ in range(3):
            _, _, dones, infos = venv.step(np.array([0, 1]))
    assert dones.tolist() == [True, True]
    assert infos[0]["TimeLimit.truncated"]
    assert infos[1]["episode"]["l"] == 3


def test_a_simulator_that_cannot_be_seeded_is_named_once_and_one_with_a_seed_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for env_config, warnings in (({}, 1), ({"seed": 7}, 0)):
        caplog.clear()
        config = Config.model_validate({"environment": {"id": "CopiedRay-v0", "env_config": env_config}})
        with caplog.at_level(logging.WARNING), Environments(config, Path()) as environments:
            environments.evaluation(1, seed=5)
        assert len([each for each in caplog.messages if "'CopiedRay-v0' cannot be seeded" in each]) == warnings


def test_the_type_ray_makes_environments_of_gymnasium_without_ray() -> None:
    env_configurations.register("RayCartPole", {"vecenv_type": "RAY", "env_creator": short_cartpole})
    venv = vecenv.create_vec_env("RayCartPole", 2, max_episode_steps=3, seed=5, ray_config={"num_cpus": 2})
    assert isinstance(venv, VecEnv)
    assert venv.num_envs == 2


def test_an_entry_put_into_the_dictionary_itself_is_an_environment(place: Path, command: Callable[..., int]) -> None:
    env_configurations.configurations["Put-v0"] = {"vecenv_type": "RAY", "env_creator": short_cartpole}
    params = changed(config__env_name="Put-v0", config__max_epochs=1, config__full_experiment_name="put")
    (place / "put.yaml").write_text(yaml.safe_dump({"params": params}))
    assert command("runner", "--train", "--file", "put.yaml") == 0


def test_a_type_that_is_built_in_may_be_replaced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vecenv.vecenv_config, "RAY", vecenv.vecenv_config["RAY"])
    vecenv.register("RAY", copied)
    with pytest.raises(InputError, match="vecenv type 'RAY' is registered already"):
        vecenv.register("RAY", CopiedRayVecEnv)


def test_default_env_config_counts_where_the_file_says_nothing_else() -> None:
    made: list[dict[str, Any]] = []

    def creator(**kwargs: Any) -> Any:
        made.append(kwargs)
        return short_cartpole()

    defaults = {"gravity": 9.8, "length": 1}
    configuration = {"vecenv_type": "RAY", "env_creator": creator, "default_env_config": defaults}
    env_configurations.register("Defaults-v0", configuration)
    vecenv.create_vec_env("Defaults-v0", 1, length=2)
    assert made == [{"gravity": 9.8, "length": 2}]
    with pytest.raises(InputError, match="default_env_config: expected keyword arguments by name, found 3"):
        env_configurations.register("Wrong-v0", {**configuration, "default_env_config": 3})


def test_default_env_config_of_a_task_are_arguments_of_its_class() -> None:
    seen: list[dict[str, Any]] = []

    def creator(**kwargs: Any) -> NavigationTask:
        seen.append(kwargs)
        return NavigationTask()

    task = {"vecenv_type": "PLAYER", "env_creator": creator, "default_env_config": {"goal": 1}}
    env_configurations.register("DefaultTask-v0", task)
    make_task("DefaultTask-v0", size=2)
    assert seen == [{"goal": 1, "size": 2}]


def test_a_creator_of_something_else_is_an_error_that_names_the_environment() -> None:
    env_configurations.register("Nothing-v0", {"vecenv_type": "RAY", "env_creator": dict})
    with pytest.raises(InputError, match=r"'Nothing-v0': expected its env_creator to make .* found dict"):
        vecenv.create_vec_env("Nothing-v0", 1)
