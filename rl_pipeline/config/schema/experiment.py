"""What a run leaves behind, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
)

from rl_pipeline.config.schema.section import Section
from rl_pipeline.config.values import folder_name

FolderName = Annotated[str, AfterValidator(folder_name)]


class ExperimentConfig(Section):
    """Which experiment folder a run writes."""

    name: FolderName = Field(default="experiment", description="folder name; made unique by a time stamp when taken")
    directory: Path = Field(default=Path("experiments"), description="where the experiment folders are")


class WandbRunConfig(Section):
    """The Weights & Biases run, when `training.use_wandb` is set."""

    project_name: str = Field(default="sb3", min_length=1, description="the project the run appears under")
    entity: str | None = Field(default=None, description="user or team; null: the one who is logged in")
    group: str | None = Field(default=None, description="runs of one group are shown together")
    name: str | None = Field(default=None, description="name of the run; null: the experiment's")
    tags: list[str] = Field(default=[], description="labels to find the run by")
    save_state: bool = Field(
        default=True, description="keep what the run can be resumed from among its files, a replay buffer included"
    )
    mode: Literal["online", "offline"] | None = Field(
        default=None, description="online or offline; null: what WANDB_MODE says, else online"
    )
