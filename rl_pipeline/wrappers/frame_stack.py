"""Stacks of the last observations (Stable-Baselines3's `VecFrameStack`)."""

from __future__ import annotations

from gymnasium import spaces
from pydantic import Field
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack

from rl_pipeline.config.section import Section
from rl_pipeline.wrappers.wrapping import Use


class Settings(Section):
    """`wrappers.frame_stack`."""

    n_stack: int = Field(default=4, gt=0, le=1000, description="observations in a stack, the latest last")


def wrap(venv: VecEnv, settings: Settings, use: Use) -> VecEnv:
    """Stack along the last axis, images along the axis of their channels; zeros stand for the time before the episode.

    Raises:
        ValueError: an observation, or a part of a dictionary of them, is no Box.
    """
    space = venv.observation_space
    parts = space.spaces.values() if isinstance(space, spaces.Dict) else [space]
    if others := [part for part in parts if not isinstance(part, spaces.Box)]:
        raise ValueError(f"expected a Box, or a Dict of Boxes, found {others[0]}")
    return VecFrameStack(venv, settings.n_stack)
