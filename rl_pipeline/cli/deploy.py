"""`rl-pipeline deploy`: run a policy as a ROS 2 node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rl_pipeline.cli.options import Agent, Directory, Experiment, Model, Overrides, select, split_ros_arguments
from rl_pipeline.cli.registration import command_options


@command_options(
    context_settings={"ignore_unknown_options": True},
    epilog="Example: rl-pipeline deploy --experiment navigation_ppo "
    "--robot ros_ws/src/examples_pkg/config/vehicle.yaml --dry-run --enable",
)
def deploy(
    context: typer.Context,
    overrides: Overrides = None,
    robot: Annotated[
        Path, typer.Option(help="YAML file that maps the robot's topics to the task's state and action.")
    ] = Path("robot.yaml"),
    experiment: Experiment = None,
    directory: Directory = None,
    model: Model = None,
    agent: Agent = "trained",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Publish on ~/action only, once enabled.")] = False,
    enable: Annotated[bool, typer.Option("--enable", help="Act at once, without a call of ~/enable.")] = False,
) -> None:
    """Run a trained policy as a ROS 2 node on a robot or a simulation; it waits until it is enabled.

    ROS arguments follow the others: --ros-args -r __ns:=/robot1 -p use_sim_time:=true
    """
    # Imports PyTorch.
    from rl_pipeline.deployment.deploy import deploy as run

    # The configuration is that of the trained run, with the overrides over it.
    settings, ros_arguments = split_ros_arguments(context, overrides)
    selection = select(settings, None, None, None, experiment, model, agent, directory)
    run(selection, robot, dry_run=dry_run, enable=enable, ros_arguments=ros_arguments)
