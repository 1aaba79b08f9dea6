"""Observations that hold the last ones too (Stable-Baselines3's `VecFrameStack`)."""

from __future__ import annotations

from pydantic import Field
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack

from rl_pipeline.config.schema.section import Section
from rl_pipeline.wrappers.registry import Use


class Settings(Section):
    """`wrappers.frame_stack`."""

    n_stack: int = Field(default=4, gt=0, le=1000, description="observations in one, the latest last")


def wrap(venv: VecEnv, settings: Settings, use: Use) -> VecEnv:
    """Stack along the last axis, of images along that of the channels; zeros stand for what was before the episode."""
    return VecFrameStack(venv, settings.n_stack)
