"""Models without simulators: a vector environment that returns prepared observations, and models built on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rl_pipeline.algorithms.build import build
from rl_pipeline.config import Config
from rl_pipeline.envs.observations import take_rows
from rl_pipeline.wrappers.wrapping import wrap_environments


class StubVecEnv(VecEnv):
    """Vector environment without a simulator: every reset and step returns the observations that were set.

    Wrappers around it, such as frame stacks and normalisers, thereby process any observation.

    Attributes:
        observations: returned by the next step or reset, shape (N, *observation shape).
        dones: (N,) bool, true where these observations are the first of an episode.
    """

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], num_envs: int = 1
    ) -> None:
        self.observations: Any = None
        self.dones: NDArray[np.bool_] = np.zeros(num_envs, np.bool_)
        super().__init__(num_envs, observation_space, action_space)

    def reset(self) -> Any:
        """Return the observations."""
        return self.observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """No-op: the stub has no simulator."""

    def step_wait(self) -> VecEnvStepReturn:
        """Return the observations, rewards of 0, and `dones`."""
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        # Wrappers expect a terminal observation with every end of an episode; its values do not matter here.
        for index in np.flatnonzero(self.dones):
            infos[index]["terminal_observation"] = take_rows(self.observations, int(index))
        return self.observations, np.zeros(self.num_envs, np.float32), self.dones.copy(), infos

    def close(self) -> None:
        """No-op: the stub holds no resources."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return None for each environment: the stub has no attributes."""
        return [None for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """No-op: the stub keeps no attributes."""

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Return None for each environment: the stub has no methods to call."""
        return [None for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Return False for each environment: the stub has no Gymnasium wrappers."""
        return [False for _ in self._get_indices(indices)]


def build_for_spaces(
    config: Config,
    observation_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    venv: StubVecEnv | None = None,
) -> BaseAlgorithm:
    """Build the configured model and wrappers for these spaces, on the CPU and without a simulator.

    Args:
        config: the whole configuration.
        observation_space: of one environment, unwrapped.
        action_space: of one environment.
        venv: the environments of the model; None: a new stub of as many as configured.

    Raises:
        InputError: algorithm or wrappers do not suit the spaces, or refuse a setting.
    """
    if venv is None:
        venv = StubVecEnv(observation_space, action_space, config.simulation.n_environments)
    # On the CPU and not for training: notices on devices and batch sizes are logged once, by the model that learns.
    training = config.training.model_copy(update={"device": "cpu"})
    wrapped_venv = wrap_environments(config, venv, training=False)
    return build(config.model_copy(update={"training": training}), wrapped_venv, for_training=False)
