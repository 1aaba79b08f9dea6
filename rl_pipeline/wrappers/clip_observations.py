"""Observations clipped to bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from pydantic import Field
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rl_pipeline.config.section import Section
from rl_pipeline.wrappers.wrapping import Use


class Settings(Section):
    """`wrappers.clip_observations`."""

    low: float = Field(default=-10.0, description="lower bound of each component")
    high: float = Field(default=10.0, description="upper bound of each component")


class ClippedObservations(VecEnvWrapper):
    """Observations with each component clipped to [low, high], and the space with them.

    Of a Dict, the Boxes of floating-point numbers are clipped; images and discrete parts stay as they are.
    """

    def __init__(self, venv: VecEnv, low: float, high: float) -> None:
        # Bounds of an image other than 0 and 255 make it a plain array to the policy.
        space = venv.observation_space
        if is_image_space(space):
            raise ValueError("an image with other bounds than 0 and 255 is none to the policy")
        if low >= high:
            raise ValueError(f"expected low < high, found {low} and {high}")
        self._low = low
        self._high = high
        # The space is clipped as the observations are.
        self._keys: list[str] = []
        if isinstance(space, spaces.Dict):
            self._keys = [key for key, part in space.spaces.items() if _is_continuous(part)]
            if not self._keys:
                raise ValueError("expected a Box of floating-point numbers in the Dict")
            parts = {key: self._clip_space(part) if key in self._keys else part for key, part in space.spaces.items()}
            bounded: spaces.Space[Any] = spaces.Dict(parts)
        elif isinstance(space, spaces.Box):
            bounded = self._clip_space(space)
        else:
            raise ValueError("expected a Box or a Dict")
        super().__init__(venv, observation_space=bounded)

    def reset(self) -> Any:
        """Reset every environment."""
        return self._clip(self.venv.reset())

    def step_wait(self) -> VecEnvStepReturn:
        """Take a step, and clip its observations."""
        observations, rewards, dones, infos = self.venv.step_wait()
        for index in np.flatnonzero(dones):
            if "terminal_observation" in infos[index]:
                infos[index]["terminal_observation"] = self._clip(infos[index]["terminal_observation"])
        return self._clip(observations), rewards, dones, infos

    def _clip(self, observations: Any) -> Any:
        if isinstance(observations, dict):
            return observations | {key: np.clip(observations[key], self._low, self._high) for key in self._keys}
        return np.clip(observations, self._low, self._high)

    def _clip_space(self, space: spaces.Space[Any]) -> spaces.Space[Any]:
        assert isinstance(space, spaces.Box)
        low, high = np.clip(space.low, self._low, self._high), np.clip(space.high, self._low, self._high)
        return spaces.Box(low, high, dtype=space.dtype.type)


def _is_continuous(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Box) and space.dtype.kind == "f"


def wrap(venv: VecEnv, settings: Settings, use: Use) -> VecEnv:
    """Clip observations, in training and in evaluation."""
    return ClippedObservations(venv, settings.low, settings.high)
