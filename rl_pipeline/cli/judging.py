"""Verbs that watch and judge agents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from rl_pipeline.cli.app import app
from rl_pipeline.cli.arguments import (
    Agent,
    ConfigDir,
    ConfigFile,
    ConfigName,
    Experiment,
    Model,
    Monitor,
    Overrides,
    RecordBag,
    Seed,
    select,
)
from rl_pipeline.cli.terminal import console

PANEL: Final = "Watch and judge"


@app.command(
    rich_help_panel=PANEL, epilog="Example: rl-pipeline play --experiment navigation_ppo --episodes 3 --video agent.mp4"
)
def play(
    overrides: Overrides = None,
    experiment: Experiment = None,
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

    selection = select(overrides or [], config_name, config, config_dir, experiment, model, agent)
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
    rich_help_panel=PANEL, epilog="Example: rl-pipeline evaluate --agent random --episodes 100 --json random.json"
)
def evaluate(
    overrides: Overrides = None,
    experiment: Experiment = None,
    model: Model = None,
    agent: Agent = "trained",
    episodes: Annotated[int | None, typer.Option(min=1, help="Episodes in all.")] = None,
    seed: Seed = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file too; - prints them.")] = None,
    monitor: Monitor = False,
    record_bag: RecordBag = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
) -> None:
    """Judge an agent: mean and spread of the return, 95% intervals, success rate."""
    from rl_pipeline.run.evaluate import evaluate as run

    selection = select(overrides or [], config_name, config, config_dir, experiment, model, agent)
    run(
        selection,
        episodes=episodes,
        seed=seed,
        json_file=json,
        monitor=monitor,
        record_bag=record_bag,
        console=console(),
    )
