"""How agents are judged and watched."""

from __future__ import annotations

from pydantic import (
    Field,
)

from rl_pipeline.config.schema.section import FileOrName, Section


class EvaluationConfig(Section):
    """The evaluation at the end of a run, and that of `rl-pipeline evaluate`."""

    num_episodes: int = Field(default=100, gt=0, description="episodes of the evaluation")
    seed: int = Field(
        default=1_000_000, ge=0, le=2**32 - 1, description="seed of the first episode; episode k has seed + k"
    )
    deterministic: bool = Field(default=True, description="act by the policy's mode rather than by a sample")
    horizon: int | None = Field(
        default=None,
        gt=0,
        description="steps after which an episode of any evaluation is cut off; null: environment.horizon",
    )
    opponent: FileOrName | None = Field(
        default=None, description="model that plays the opponent, a file or an experiment; null: the scene's bot"
    )


class PlayConfig(Section):
    """Which model `rl-pipeline play` loads when the command line names none."""

    experiment: FileOrName | None = Field(
        default=None, description="an experiment's folder or its name; null: the newest"
    )
    pretrained_model: FileOrName = Field(
        default="best_model", description="a model of that experiment: best_model, model or a file"
    )
