"""`rl-pipeline play`: watch an agent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rl_pipeline.cli.console import make_console
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
    select,
)
from rl_pipeline.cli.registration import command_options


@command_options(epilog="Example: rl-pipeline play --experiment navigation_ppo --episodes 3 --video agent.mp4")
def play(
    overrides: Overrides = None,
    experiment: Experiment = None,
    directory: Directory = None,
    model: Model = None,
    agent: Agent = "trained",
    episodes: Annotated[int, typer.Option(min=1, help="Episodes, one after another.")] = 3,
    seed: Seed = None,
    video: Annotated[Path | None, typer.Option(help="File of the video.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the simulator's window instead.")] = False,
    monitor: Monitor = False,
    record_bag: RecordBag = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
) -> None:
    """Watch an agent: a video of whole episodes, or live."""
    # Imports PyTorch.
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
        console=make_console(),
    )
