"""Verbs that look at environments and at this machine."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from rl_pipeline.cli.app import app
from rl_pipeline.cli.completion import environment_ids
from rl_pipeline.cli.console import console
from rl_pipeline.cli.exit import FAILED
from rl_pipeline.cli.options import Directory, Experiment, Overrides, within

PANEL: Final = "Look into"


@app.command(rich_help_panel=PANEL, epilog="Example: rl-pipeline check rl_pipeline/Navigation-v0")
def check(
    env_id: Annotated[str, typer.Argument(help="A registered environment.", autocompletion=environment_ids)],
    overrides: Overrides = None,
) -> None:
    """Check an environment against Gymnasium's, Stable-Baselines3's and the protocol's rules."""
    from rl_pipeline.cli.check import check as run

    if not run(env_id, overrides or [], console()):
        raise typer.Exit(FAILED)


@app.command(rich_help_panel=PANEL, epilog="Example: rl-pipeline monitor --experiment navigation_ppo")
def monitor(
    experiment: Experiment = None,
    directory: Directory = None,
    once: Annotated[bool, typer.Option("--once", help="Print the table and end.")] = False,
) -> None:
    """Watch where the time of a training's steps goes: players, link, policy."""
    from rl_pipeline.cli.monitor import monitor as run

    run(experiment, within(directory), once=once, console=console())


@app.command(rich_help_panel=PANEL, epilog="Example: rl-pipeline doctor")
def doctor() -> None:
    """Say what this machine can do, and what to install for more."""
    from rl_pipeline.cli.doctor import doctor as run

    run(console())
