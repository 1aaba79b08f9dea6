"""Rewards clipped to bounds while an agent learns."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rl_pipeline.config.section import Section
from rl_pipeline.wrappers.wrapping import Use


class Settings(Section):
    """`wrappers.clip_rewards`."""

    low: float = Field(default=-1.0, description="lower bound of the reward")
    high: float = Field(default=1.0, description="upper bound of the reward")


class ClippedRewards(VecEnvWrapper):
    """Rewards clipped to [low, high]."""

    def __init__(self, venv: VecEnv, low: float, high: float) -> None:
        if low >= high:
            raise ValueError(f"expected low < high, found {low} and {high}")
        self._low = low
        self._high = high
        super().__init__(venv)

    def reset(self) -> Any:
        """Reset every environment."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Take a step, and clip its rewards."""
        observations, rewards, dones, infos = self.venv.step_wait()
        return observations, np.clip(rewards, self._low, self._high), dones, infos


def wrap(venv: VecEnv, settings: Settings, use: Use) -> VecEnv:
    """Clip the rewards of training; evaluations count the rewards as they are."""
    return ClippedRewards(venv, settings.low, settings.high) if use.training else venv
