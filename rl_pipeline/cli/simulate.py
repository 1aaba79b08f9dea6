"""Verbs that run simulators without a trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from rl_pipeline.cli.app import app
from rl_pipeline.cli.options import Overrides

PANEL: Final = "Connect"


@app.command(
    rich_help_panel=PANEL, epilog="Example: rl-pipeline simulate n_environments=8 unity.build_path=build/Arena.x86_64"
)
def simulate(
    overrides: Overrides = None,
    config: Annotated[Path, typer.Option(help="The file that says how many players, of which build.")] = Path(
        "config.yml"
    ),
    scene: Annotated[str, typer.Option(help="What the embedded player simulates.")] = "navigation",
    logs: Annotated[Path, typer.Option(help="Folder of the players' logs.")] = Path("player_logs"),
) -> None:
    """Start the players of config.yml for a trainer that waits for them (unity.launch=false); Ctrl-C ends them."""
    from rl_pipeline.simulation.standalone.launcher import launch

    launch(config, overrides or [], scene, logs)
