"""A model of a configuration on spaces alone: whether it can be built shows before any simulator is started."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rl_pipeline.algorithms.build import build
from rl_pipeline.config.schema import Config
from rl_pipeline.envs.observations import take_rows
from rl_pipeline.run.wrapping import wrapped


def rehearse(
    config: Config,
    observation_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    stage: Stage | None = None,
) -> BaseAlgorithm:
    """The model that the configuration makes for these spaces, on the CPU, its environments a stage in its wrappers.

    Args:
        config: the whole configuration.
        observation_space: of one environment, unwrapped.
        action_space: of one environment.
        stage: in place of the environments; None: as many as configured.

    Raises:
        InputError: algorithm or wrappers do not suit the spaces, or refuse a setting.
    """
    if stage is None:
        stage = Stage(observation_space, action_space, config.simulation.n_environments)
    # On the CPU and not for training: what is said about devices and batch sizes is to be said once, by the real one.
    training = config.training.model_copy(update={"device": "cpu"})
    venv = wrapped(config, stage, training=False)
    return build(config.model_copy(update={"training": training}), venv, for_training=False)


class Stage(VecEnv):
    """Environments that observe what they are told to: wrappers around them do their work on any observation.

    Attributes:
        observations: what the next step or reset returns, shape (N, *observation shape).
        dones: (N,) bool, where those are the first of an episode.
    """

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], num_envs: int = 1
    ) -> None:
        self.observations: Any = None
        self.dones: NDArray[np.bool_] = np.zeros(num_envs, np.bool_)
        super().__init__(num_envs, observation_space, action_space)

    def reset(self) -> Any:
        """The observations."""
        return self.observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Nothing moves."""

    def step_wait(self) -> VecEnvStepReturn:
        """The observations, no reward, and where episodes began."""
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for index in np.flatnonzero(self.dones):
            infos[index]["terminal_observation"] = take_rows(self.observations, int(index))
        return self.observations, np.zeros(self.num_envs, np.float32), self.dones.copy(), infos

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """None of anything, for each environment asked."""
        return [None for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Nothing is kept."""

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """None of anything, for each environment asked."""
        return [None for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Whether environments stand in a Gymnasium wrapper: none does."""
        return [False for _ in self._get_indices(indices)]
