"""`rl-pipeline evaluate`: measure agents over many episodes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rl_pipeline.cli.completion import experiment_names, model_names
from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.options import (
    Agent,
    ConfigDir,
    ConfigFile,
    ConfigName,
    Directory,
    Monitor,
    Overrides,
    RecordBag,
    Seed,
    with_directory,
)
from rl_pipeline.cli.registration import command_options


@command_options(
    epilog="Example: rl-pipeline evaluate --experiment 'navigation_*' --model checkpoints --csv episodes.csv"
)
def evaluate(
    overrides: Overrides = None,
    experiment: Annotated[
        list[str] | None,
        typer.Option(
            help="A folder, name or pattern such as 'nav_*'; may be repeated; without it, the newest.",
            autocompletion=experiment_names,
        ),
    ] = None,
    directory: Directory = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="best_model, model, a checkpoint's name, checkpoints, all, or a file; may be repeated.",
            autocompletion=model_names,
        ),
    ] = None,
    agent: Agent = "trained",
    episodes: Annotated[int | None, typer.Option(min=1, help="Episodes of each model.")] = None,
    seed: Seed = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file too; - prints them.")] = None,
    monitor: Monitor = False,
    record_bag: RecordBag = None,
    csv: Annotated[Path | None, typer.Option(help="Write a line an episode to this file.")] = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
) -> None:
    """Evaluate one or more agents: mean and spread of the return, 95% intervals, success rate."""
    # These import PyTorch.
    from rl_pipeline.config import load_config
    from rl_pipeline.evaluation.agents import TRAINED
    from rl_pipeline.evaluation.evaluate import evaluate as run

    # A trained agent, and any agent in the environment of a run, brings the run's own experiment file.
    base = load_config(
        config_name,
        config_file=config,
        config_dir=config_dir,
        overrides=with_directory(overrides, directory),
        needs_experiment=agent != TRAINED and not experiment,
    )
    # Experiments and models are names or patterns here; the evaluation finds them.
    run(
        base,
        experiments=experiment or [],
        models=model or [],
        agent=agent,
        overrides=overrides or [],
        episodes=episodes,
        seed=seed,
        json_file=json,
        csv_file=csv,
        monitor=monitor,
        record_bag=record_bag,
        console=make_console(),
        is_named=config_name is not None or config is not None,
    )
