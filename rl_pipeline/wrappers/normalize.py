"""Observations and rewards scaled by running statistics (Stable-Baselines3's `VecNormalize`)."""

from __future__ import annotations

from pydantic import Field
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from rl_pipeline.config.schema.section import Section
from rl_pipeline.wrappers.registry import Use


class Settings(Section):
    """`wrappers.normalize`."""

    observations: bool = Field(default=True, description="to mean 0 and variance 1")
    rewards: bool = Field(default=True, description="to a discounted return of variance 1")
    clip_observations: float = Field(default=10.0, gt=0, description="largest magnitude of a normalised observation")
    clip_rewards: float = Field(default=10.0, gt=0, description="largest magnitude of a normalised reward")
    gamma: float | None = Field(default=None, ge=0, le=1, description="discount of that return; null: the algorithm's")
    epsilon: float = Field(default=1e-8, gt=0, description="added to variances before they divide")


def wrap(venv: VecEnv, settings: Settings, use: Use) -> VecEnv:
    """Normalise; out of training the statistics stand still, and rewards stay as they are."""
    return VecNormalize(
        venv,
        training=use.training,
        norm_obs=settings.observations,
        norm_reward=settings.rewards and use.training,
        clip_obs=settings.clip_observations,
        clip_reward=settings.clip_rewards,
        gamma=use.gamma if settings.gamma is None else settings.gamma,
        epsilon=settings.epsilon,
    )
