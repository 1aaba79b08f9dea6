"""Program of launch_node.bash: run the node that `ros.package_name` and `ros.node_name` of config.yml name.

`bash launch_node.bash [OVERRIDES] [--ros-args ...]` runs the verb of `rl-pipeline` with the node's name. With ROS 2 and
a built workspace, the verb runs as a ROS node. A node of another package is executed as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from rl_pipeline import cli
from rl_pipeline.config import machine_settings
from rl_pipeline.config.schema import RosConfig
from rl_pipeline.errors import InputError, UnknownNameError

PACKAGE: Final = "examples_pkg"
NODES: Final = ("train", "play", "evaluate", "deploy")
SECTIONS: Final = ("ros.", "simulation.ros.")
ROS_ARGUMENTS: Final = "--ros-args"


def read_ros_config(arguments: Sequence[str]) -> RosConfig:
    """Return the section `ros` of config.yml, with the overrides of that section among the arguments.

    The verb reports other wrong arguments.

    Raises:
        InputError: the configuration is wrong.
    """
    overrides = [argument for argument in arguments if argument.lstrip("+").startswith(SECTIONS)]
    return machine_settings(overrides=overrides).simulation.ros


def node_verb(ros: RosConfig) -> str:
    """Return the verb of `rl-pipeline` behind the configured node of this project's package.

    Raises:
        InputError: the package has no such node.
    """
    if ros.node_name not in NODES:
        raise UnknownNameError("node", ros.node_name, NODES, "ros.node_name")
    return ros.node_name


def node_executable(ros: RosConfig) -> Path:
    """Return the executable of a node of another package, from the sourced workspaces.

    Raises:
        UnknownNameError: there is no such package, or it has no such node.
    """
    # ROS installs executables to lib/PACKAGE of each prefix; an earlier prefix wins.
    prefixes = [Path(prefix) for prefix in os.environ.get("AMENT_PREFIX_PATH", sys.prefix).split(os.pathsep)]
    folders = [prefix / "lib" / ros.package_name for prefix in prefixes]
    nodes = [file for folder in folders if folder.is_dir() for file in folder.iterdir() if os.access(file, os.X_OK)]

    # Without the package, offer those with a name like this project's: every prefix has hundreds.
    if not nodes:
        packages = {folder.name for prefix in prefixes for folder in (prefix / "lib").glob("*_pkg")} | {PACKAGE}
        raise UnknownNameError("package", ros.package_name, packages, "ros.package_name")
    for file in nodes:
        if file.name == ros.node_name:
            return file
    raise UnknownNameError("node", ros.node_name, (file.name for file in nodes), "ros.node_name")


def run(arguments: Sequence[str]) -> int:
    """Run the configured node, and return its exit code."""
    # A node of another package replaces this process, so that signals reach it.
    ros = read_ros_config(arguments)
    if ros.package_name != PACKAGE:
        executable = node_executable(ros)
        rest = [argument for argument in arguments if not argument.lstrip("+").startswith(SECTIONS)]
        os.execv(executable, [str(executable), *rest])

    # A verb of this project, as a ROS node where that is possible.
    verb = node_verb(ros)
    if find_spec("rclpy") is not None and find_spec(PACKAGE) is not None:
        from rl_pipeline.cli.nodes.ros_node import run_node

        return run_node(verb, arguments)

    # ROS arguments need a node: say what is missing.
    if ROS_ARGUMENTS in arguments:
        from rl_pipeline.ros.installation import require_interfaces

        require_interfaces()
        raise InputError(f"{ROS_ARGUMENTS}: {PACKAGE} is not built for this Python; run: bash ros_ws/build.bash")
    return cli.run([verb, *arguments])


def main() -> None:
    """Run the node with the arguments of the command line."""
    arguments = sys.argv[1:]
    sys.exit(cli.guarded(lambda: run(arguments), "--debug" in arguments))


if __name__ == "__main__":
    main()
