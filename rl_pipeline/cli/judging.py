"""Verbs that watch and judge agents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from rl_pipeline.cli.app import app
from rl_pipeline.cli.completion import experiment_names, model_names
from rl_pipeline.cli.console import console
from rl_pipeline.cli.options import (
    Agent,
    ConfigDir,
    ConfigFile,
    ConfigName,
    Directory,
    Experiment,
    Model,
    Monitor,
    Overrides,
    RecordBag,
    Seed,
    overridden,
    select,
)

PANEL: Final = "Watch and judge"


@app.command(
    rich_help_panel=PANEL, epilog="Example: rl-pipeline play --experiment navigation_ppo --episodes 3 --video agent.mp4"
)
def play(
    overrides: Overrides = None,
    experiment: Experiment = None,
    directory: Directory = None,
    model: Model = None,
    agent: Agent = "trained",
    episodes: Annotated[int, typer.Option(min=1, help="Episodes, one after another.")] = 3,
    seed: Seed = None,
    video: Annotated[Path | None, typer.Option(help="Where the video goes.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the simulator's window instead.")] = False,
    monitor: Monitor = False,
    record_bag: RecordBag = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
) -> None:
    """Watch an agent: a video of whole episodes, or live."""
    from rl_pipeline.run.play import play as run

    selection = select(overrides or [], config_name, config, config_dir, experiment, model, agent, directory)
    run(
        selection,
        episodes=episodes,
        seed=seed,
        video=video,
        show=show,
        monitor=monitor,
        record_bag=record_bag,
        console=console(),
    )


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: rl-pipeline evaluate --experiment 'navigation_*' --model checkpoints --csv episodes.csv",
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
    """Judge agents: mean and spread of the return, 95% intervals, success rate; many models, one table."""
    from rl_pipeline.config import load_config
    from rl_pipeline.evaluation.agents import TRAINED
    from rl_pipeline.evaluation.evaluate import evaluate as run

    base = load_config(
        config_name,
        config_file=config,
        config_dir=config_dir,
        overrides=overridden(overrides, directory),
        needs_experiment=agent != TRAINED and not experiment,
    )
    run(
        base, experiments=experiment or [], models=model or [], agent=agent, overrides=overrides or [],
        episodes=episodes, seed=seed, json_file=json, csv_file=csv, monitor=monitor, record_bag=record_bag,
        console=console(), is_named=config_name is not None or config is not None,
    )  # fmt: skip


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: rl-pipeline export --experiment navigation_ppo --output agent.onnx",
)
def export(
    overrides: Overrides = None,
    experiment: Experiment = None,
    directory: Directory = None,
    model: Model = None,
    format: Annotated[str, typer.Option(help="onnx (for Unity's inference engine) or torchscript.")] = "onnx",
    output: Annotated[Path | None, typer.Option(help="The file; without it, beside the model.")] = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
) -> None:
    """Write a trained policy as a file for other programs, checked against the model."""
    from rl_pipeline.deployment.export import export as run
    from rl_pipeline.evaluation.agents import TRAINED

    selection = select(overrides or [], config_name, config, config_dir, experiment, model, TRAINED, directory)
    run(selection, format=format, output=output, console=console())
