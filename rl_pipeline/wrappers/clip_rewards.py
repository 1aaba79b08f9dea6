"""Rewards kept within bounds, while an agent learns from them."""

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

    low: float = Field(default=-1.0, description="no reward counts for less")
    high: float = Field(default=1.0, description="no reward counts for more")


class ClippedRewards(VecEnvWrapper):
    """Each reward lies in [low, high]."""

    def __init__(self, venv: VecEnv, low: float, high: float) -> None:
        if low >= high:
            raise ValueError(f"expected low < high, found {low} and {high}")
        self._low, self._high = low, high
        super().__init__(venv)

    def reset(self) -> Any:
        """Reset every environment."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Pass a step on, its rewards clipped."""
        observations, rewards, dones, infos = self.venv.step_wait()
        return observations, np.clip(rewards, self._low, self._high), dones, infos


def wrap(venv: VecEnv, settings: Settings, use: Use) -> VecEnv:
    """Clip what is learned from; evaluations count the rewards as they are."""
    return ClippedRewards(venv, settings.low, settings.high) if use.training else venv
