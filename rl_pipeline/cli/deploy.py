"""Verbs that bring policies to robots."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from rl_pipeline.cli.app import app
from rl_pipeline.cli.options import Agent, Directory, Experiment, Model, Overrides, select, split_ros_arguments

PANEL: Final = "Connect"


@app.command(
    rich_help_panel=PANEL,
    context_settings={"ignore_unknown_options": True},
    epilog="Example: rl-pipeline deploy --experiment navigation_ppo "
    "--robot ros_ws/src/examples_pkg/config/vehicle.yaml --dry-run --enable",
)
def deploy(
    context: typer.Context,
    overrides: Overrides = None,
    robot: Annotated[
        Path, typer.Option(help="YAML that maps the robot's topics to the task's state and action.")
    ] = Path("robot.yaml"),
    experiment: Experiment = None,
    directory: Directory = None,
    model: Model = None,
    agent: Agent = "trained",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Publish on ~/action alone, once enabled.")] = False,
    enable: Annotated[
        bool, typer.Option("--enable", help="Act at once: do not wait until ~/enable is called.")
    ] = False,
) -> None:
    """Run a trained policy as a ROS 2 node on a robot or a running simulation; it waits until it is enabled.

    ROS arguments follow the others: --ros-args -r __ns:=/robot1 -p use_sim_time:=true
    """
    from rl_pipeline.deployment.deploy import deploy as run

    settings, ros_arguments = split_ros_arguments(context, overrides)
    selection = select(settings, None, None, None, experiment, model, agent, directory)
    run(selection, robot, dry_run=dry_run, enable=enable, ros_arguments=ros_arguments)
