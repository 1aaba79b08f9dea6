"""A model of a configuration on spaces alone: whether it can be built shows before any simulator is started."""

from __future__ import annotations

from typing import Any, NoReturn

import gymnasium
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv

from rl_pipeline.algorithms.build import build
from rl_pipeline.config.schema import Config


def rehearse(config: Config, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> BaseAlgorithm:
    """The model that the configuration makes for these spaces, on the CPU; it cannot act.

    Raises `InputError` when the algorithm does not suit the spaces or refuses a hyperparameter.
    """
    count = config.simulation.n_environments
    stage = DummyVecEnv([lambda: _SpacesAlone(observation_space, action_space) for _ in range(count)])
    # On the CPU and not for training: what is said about devices and batch sizes is to be said once, by the real one.
    training = config.training.model_copy(update={"device": "cpu"})
    return build(config.model_copy(update={"training": training}), stage, for_training=False)


class _SpacesAlone(gymnasium.Env[Any, Any]):
    """An environment that nobody enters."""

    def __init__(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = observation_space, action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> NoReturn:
        raise NotImplementedError

    def step(self, action: Any) -> NoReturn:
        raise NotImplementedError
