"""Observations that hold the last actions too, for robots that act late or keep their velocity to themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pydantic import Field
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rl_pipeline.config.schema.section import Section
from rl_pipeline.wrappers.registry import Use


class Settings(Section):
    """`wrappers.action_history`."""

    length: int = Field(default=1, gt=0, le=1000, description="how many of the last actions are observed")


class ActionHistory(VecEnvWrapper):
    """An observation of shape (o,) becomes (o + length * a,): the actions follow, the latest last, zeros before any.

    Args:
        venv: environments with flat observations and continuous actions of shape (a,).
        length: actions observed.
    """

    def __init__(self, venv: VecEnv, length: int) -> None:
        observed, acted = venv.observation_space, venv.action_space
        if not isinstance(observed, spaces.Box) or len(observed.shape) != 1 or not isinstance(acted, spaces.Box):
            raise ValueError("expected a flat Box, and a Box of actions")
        dtype = observed.dtype
        assert dtype is not None
        if not np.issubdtype(dtype, np.floating):
            raise ValueError(f"expected observations of a type that holds actions too, such as float32, found {dtype}")
        low = np.concatenate([observed.low, *[acted.low.ravel()] * length]).astype(dtype)
        high = np.concatenate([observed.high, *[acted.high.ravel()] * length]).astype(dtype)
        super().__init__(venv, observation_space=spaces.Box(low, high, dtype=dtype.type))
        self._width = int(np.prod(acted.shape))
        self._actions: NDArray[Any] = np.zeros((venv.num_envs, length * self._width), dtype)

    def reset(self) -> Any:
        """Reset every environment, and forget the actions."""
        self._actions[:] = 0
        return self._joined(self.venv.reset())

    def step_async(self, actions: NDArray[Any]) -> None:
        """Send the actions, and remember them."""
        self._actions = np.roll(self._actions, -self._width, axis=1)
        self._actions[:, -self._width :] = actions.reshape(self.num_envs, -1)
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Pass a step on; a new episode begins without a history."""
        observations, rewards, dones, infos = self.venv.step_wait()
        for index in np.flatnonzero(dones):
            if "terminal_observation" in infos[index]:
                last = infos[index]["terminal_observation"]
                infos[index]["terminal_observation"] = np.concatenate([last, self._actions[index]])
            self._actions[index] = 0
        return self._joined(observations), rewards, dones, infos

    def _joined(self, observations: Any) -> NDArray[Any]:
        return np.concatenate([observations, self._actions], axis=1)


def wrap(venv: VecEnv, settings: Settings, use: Use) -> VecEnv:
    """Observe the last actions."""
    return ActionHistory(venv, settings.length)
