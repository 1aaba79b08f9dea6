"""Verbs that look at environments and at this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from rl_pipeline.cli.app import app
from rl_pipeline.cli.arguments import Experiment, Overrides
from rl_pipeline.cli.endings import FAILED
from rl_pipeline.cli.terminal import console

PANEL: Final = "Look into"


@app.command(rich_help_panel=PANEL, epilog="Example: rl-pipeline check rl_pipeline/Navigation-v0")
def check(
    env_id: Annotated[str, typer.Argument(help="A registered environment.")],
    overrides: Overrides = None,
) -> None:
    """Check an environment against Gymnasium's, Stable-Baselines3's and the protocol's rules."""
    from rl_pipeline.run.check import check as run

    if not run(env_id, overrides or [], console()):
        raise typer.Exit(FAILED)


@app.command(rich_help_panel=PANEL, epilog="Example: rl-pipeline benchmark transport")
def benchmark(
    what: Annotated[str, typer.Argument(help="transport, connector, worlds, ros-endpoint or soak")],
    players: Annotated[int | None, typer.Option(min=1, help="Players in the batch.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds of each measurement.")] = 1.0,
    repetitions: Annotated[int, typer.Option(min=1, help="Measurements of each case.")] = 3,
    minutes: Annotated[float, typer.Option(min=0.01, help="Length of the soak: training among faults.")] = 1.0,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file too.")] = None,
) -> None:
    """Measure this machine: environment steps per second, as ratios to what else steps the same players."""
    from rl_pipeline.run.benchmark import benchmark as run

    run(
        what, console(), players=players, seconds=seconds, repetitions=repetitions, minutes=minutes, json_file=json
    )  # fmt: skip


@app.command(rich_help_panel=PANEL, epilog="Example: rl-pipeline monitor --experiment navigation_ppo")
def monitor(
    experiment: Experiment = None,
    directory: Annotated[Path, typer.Option(help="Where the experiments are.")] = Path("experiments"),
    once: Annotated[bool, typer.Option("--once", help="Print the table and end.")] = False,
) -> None:
    """Watch where the time of a training's steps goes: players, link, policy."""
    from rl_pipeline.run.monitor import monitor as run

    run(experiment, directory, once=once, console=console())


@app.command(rich_help_panel=PANEL, epilog="Example: rl-pipeline doctor")
def doctor() -> None:
    """Say what this machine can do, and what to install for more."""
    from rl_pipeline.run.doctor import doctor as run

    run(console())
