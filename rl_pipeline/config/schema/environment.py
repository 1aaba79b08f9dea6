"""The environment that the agent learns in."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    Field,
)

from rl_pipeline.config.schema.section import Hyperparameters, Section


class EnvironmentConfig(Section):
    """The environment that the agent learns in, and how it is watched."""

    id: str = Field(default="rl_pipeline/Navigation-v0", description="any registered Gymnasium id")
    env_config: dict[str, Any] | None = Field(default=None, description="keyword arguments of the environment or task")
    parameters: Hyperparameters = Field(
        default={}, description="what varies from episode to episode: numbers, samplers or curricula by name"
    )
    render_mode: Literal["rgb_array", "human"] | None = Field(
        default="rgb_array", description="rgb_array: frames for videos; human: a window; null: neither"
    )
    monitor: bool = Field(default=True, description="log each episode's return and length")
    horizon: int | None = Field(
        default=None, gt=0, description="steps after which an episode is cut off; null: the environment's own"
    )
    video_wrapper: bool = Field(default=True, description="record videos during training")
    video_trigger: int = Field(
        default=5000, gt=0, description="environment steps of one environment between two recordings"
    )
    video_length: int = Field(default=500, gt=0, description="steps of one recording")
