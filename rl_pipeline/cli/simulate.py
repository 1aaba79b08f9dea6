"""`rl-pipeline simulate`: run players for a trainer that waits for them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rl_pipeline.cli.options import Overrides
from rl_pipeline.cli.registration import command_options


@command_options(epilog="Example: rl-pipeline simulate n_environments=8 unity.build_path=build/Arena.x86_64")
def simulate(
    overrides: Overrides = None,
    config: Annotated[Path, typer.Option(help="File with the number of players and their build.")] = Path("config.yml"),
    scene: Annotated[str, typer.Option(help="Scene of the embedded player.")] = "navigation",
    logs: Annotated[Path, typer.Option(help="Folder of the players' logs.")] = Path("player_logs"),
) -> None:
    """Start the players of config.yml for a trainer that waits for them (unity.launch=false).

    Ctrl-C ends them.
    """
    # launch_unity_simulation.bash runs the same program without an installation of this package.
    from rl_pipeline.simulation.standalone.launcher import launch

    launch(config, overrides or [], scene, logs)
