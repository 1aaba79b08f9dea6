"""What launch_node.bash runs: the node that `ros.package_name` and `ros.node_name` of config.yml name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from rl_pipeline import cli
from rl_pipeline.config import load_config
from rl_pipeline.errors import InputError, UnknownNameError

PACKAGE: Final = "examples_pkg"
NODES: Final = ("train", "play", "evaluate")


def node_verb(overrides: Sequence[str]) -> str:
    """The verb of `rl-pipeline` that the configured node stands for.

    Raises:
        InputError: the configuration is wrong, or names another package or node.
    """
    ros = load_config(overrides=overrides).simulation.ros
    if ros.package_name != PACKAGE:
        raise UnknownNameError("package", ros.package_name, [PACKAGE], "ros.package_name")
    if ros.node_name not in NODES:
        raise UnknownNameError("node", ros.node_name, NODES, "ros.node_name")
    return ros.node_name


def main() -> None:
    """Run the node with the overrides of the command line."""
    overrides = sys.argv[1:]
    try:
        verb = node_verb([override for override in overrides if not override.startswith("-")])
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(cli.BAD_INPUT)
    cli.main([verb, *overrides])


if __name__ == "__main__":
    main()
