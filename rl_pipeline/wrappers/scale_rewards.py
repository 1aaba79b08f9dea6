"""Rewards shifted and scaled while an agent learns."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rl_pipeline.config.section import Section
from rl_pipeline.wrappers.wrapping import Use


class Settings(Section):
    """`wrappers.scale_rewards`."""

    shift: float = Field(default=0.0, description="added to each reward")
    scale: float = Field(default=1.0, description="factor of the sum of reward and shift")


class ScaledRewards(VecEnvWrapper):
    """Rewards of (reward + shift) * scale."""

    def __init__(self, venv: VecEnv, shift: float, scale: float) -> None:
        self._shift = shift
        self._scale = scale
        super().__init__(venv)

    def reset(self) -> Any:
        """Reset every environment."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Take a step, and scale its rewards."""
        observations, rewards, dones, infos = self.venv.step_wait()
        return observations, (rewards + self._shift) * self._scale, dones, infos


def wrap(venv: VecEnv, settings: Settings, use: Use) -> VecEnv:
    """Scale the rewards of training; evaluations count the rewards as they are."""
    return ScaledRewards(venv, settings.shift, settings.scale) if use.training else venv
