"""Observations that include the last actions, for robots that act late or do not report their velocity."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pydantic import Field
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rl_pipeline.config.section import Section
from rl_pipeline.wrappers.wrapping import Use


class Settings(Section):
    """`wrappers.action_history`."""

    length: int = Field(default=1, gt=0, le=1000, description="number of the last actions that are observed")


KEY: Final = "action_history"
"""Key of the actions in a Dict observation."""


class ActionHistory(VecEnvWrapper):
    """An observation of shape (o,) becomes (o + length * a,): the actions follow, the latest last, zeros before any.

    A Dict observation gets them under the key `action_history`, shape (length * a,).

    Args:
        venv: environments with flat or Dict observations and continuous actions of shape (a,).
        length: actions observed.
    """

    def __init__(self, venv: VecEnv, length: int) -> None:
        observed, acted = venv.observation_space, venv.action_space
        # Bounds of the actions in the history.
        if not isinstance(acted, spaces.Box):
            raise ValueError("expected a Box of actions")
        low, high = (np.concatenate([limit.ravel()] * length) for limit in (acted.low, acted.high))
        dtype = acted.dtype
        # A Dict gets a key for them, a flat Box more components.
        if isinstance(observed, spaces.Dict):
            if KEY in observed.spaces:
                raise ValueError(f"expected no key {KEY!r} in the Dict")
            space: spaces.Space[Any] = spaces.Dict({**observed.spaces, KEY: spaces.Box(low, high, dtype=dtype.type)})
        elif isinstance(observed, spaces.Box) and len(observed.shape) == 1:
            dtype = observed.dtype
            if not np.issubdtype(dtype, np.floating):
                raise ValueError(
                    f"expected observations of a type that holds actions too, such as float32, found {dtype}"
                )
            low = np.concatenate([observed.low, low]).astype(dtype)
            high = np.concatenate([observed.high, high]).astype(dtype)
            space = spaces.Box(low, high, dtype=dtype.type)
        else:
            raise ValueError("expected a flat Box or a Dict, and a Box of actions")
        super().__init__(venv, observation_space=space)
        self._width = int(np.prod(acted.shape))
        self._actions: NDArray[Any] = np.zeros((venv.num_envs, length * self._width), dtype)

    def reset(self) -> Any:
        """Reset every environment, and clear the history."""
        self._actions[:] = 0
        return self._append_actions(self.venv.reset(), self._actions)

    def step_async(self, actions: NDArray[Any]) -> None:
        """Send the actions, and add them to the history."""
        self._actions = np.roll(self._actions, -self._width, axis=1)
        self._actions[:, -self._width :] = actions.reshape(self.num_envs, -1)
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Take a step; a new episode begins without a history."""
        observations, rewards, dones, infos = self.venv.step_wait()
        for index in np.flatnonzero(dones):
            if "terminal_observation" in infos[index]:
                last = infos[index]["terminal_observation"]
                infos[index]["terminal_observation"] = self._append_actions(last, self._actions[index])
            self._actions[index] = 0
        return self._append_actions(observations, self._actions), rewards, dones, infos

    def _append_actions(self, observations: Any, actions: NDArray[Any]) -> Any:
        """Return observations with actions, of one environment or of all."""
        if isinstance(observations, dict):
            return {**observations, KEY: actions.copy()}
        return np.concatenate([observations, actions], axis=-1)


def wrap(venv: VecEnv, settings: Settings, use: Use) -> VecEnv:
    """Observe the last actions."""
    return ActionHistory(venv, settings.length)
