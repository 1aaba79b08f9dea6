"""The options that several verbs share, and what they select."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rl_pipeline.cli.completion import experiment_files, experiment_names

if TYPE_CHECKING:
    from rl_pipeline.run.selection import Selection

ConfigName = Annotated[
    str | None,
    typer.Option("--config-name", "-cn", help="An experiment file of configs/.", autocompletion=experiment_files),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Any YAML file, in place of --config-name.")]
ConfigDir = Annotated[Path | None, typer.Option("--config-dir", help="Folder of experiment files and groups.")]
Overrides = Annotated[list[str] | None, typer.Argument(help="Settings such as training.seed=1 or algorithm=sac.")]
Experiment = Annotated[
    str | None,
    typer.Option(help="An experiment's folder or name; without it, the newest.", autocompletion=experiment_names),
]
Model = Annotated[str | None, typer.Option(help="best_model, model, a checkpoint's name, or any model file.")]
Agent = Annotated[str, typer.Option(help="trained, random or zero.")]
Monitor = Annotated[bool, typer.Option("--monitor", help="Show how long players, link and agent take, live.")]
RecordBag = Annotated[Path | None, typer.Option("--record-bag", help="Folder for each episode as a ROS 2 bag (MCAP).")]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Seed of the first episode.")]


def select(
    overrides: list[str],
    config_name: str | None,
    config: Path | None,
    config_dir: Path | None,
    experiment: str | None,
    model: str | None,
    agent: str,
) -> Selection:
    """What is to act, and where, by the options that `play` and `evaluate` share."""
    from rl_pipeline.config import load_config
    from rl_pipeline.run.agents import TRAINED
    from rl_pipeline.run.selection import select

    base = load_config(
        config_name, config_file=config, config_dir=config_dir, overrides=overrides,
        needs_experiment=agent != TRAINED and experiment is None,
    )  # fmt: skip
    is_named = config_name is not None or config is not None
    return select(base, experiment=experiment, model=model, agent=agent, overrides=overrides, is_named=is_named)
