"""Verbs that serve players without training."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from rl_pipeline.cli.app import app
from rl_pipeline.cli.console import console
from rl_pipeline.cli.options import Overrides, split_ros_arguments

PANEL: Final = "Connect"


@app.command(
    rich_help_panel=PANEL,
    context_settings={"ignore_unknown_options": True},
    epilog="Example: rl-pipeline endpoint --ros2 --stats ros.tcp_port=10000 --ros-args -p ROS_IP:=0.0.0.0",
)
def endpoint(
    context: typer.Context,
    overrides: Overrides = None,
    ros2: Annotated[bool, typer.Option("--ros2", help="Let players take part in the ROS 2 graph.")] = False,
    stats: Annotated[bool, typer.Option("--stats", help="Show what each connection does, live.")] = False,
) -> None:
    """Serve players by themselves: with --ros2 in place of Unity's ros_tcp_endpoint, else for each other only.

    A trainer needs it only with ros.backend=ros2; otherwise players connect to the trainer itself.
    """
    from rl_pipeline.cli.endpoint import endpoint as run

    settings, ros_arguments = split_ros_arguments(context, overrides)
    run(settings, console(), ros2=ros2, stats=stats, ros_arguments=ros_arguments)
