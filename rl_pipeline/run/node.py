"""What launch_node.bash runs: the node that `ros.package_name` and `ros.node_name` of config.yml name.

bash launch_node.bash [OVERRIDES] is that node's verb of `rl-pipeline`, with all that follows handed on to it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from rl_pipeline import cli
from rl_pipeline.config import load_config
from rl_pipeline.errors import UnknownNameError

PACKAGE: Final = "examples_pkg"
NODES: Final = ("train", "play", "evaluate")
SECTIONS: Final = ("ros.", "simulation.ros.")


def node_verb(arguments: Sequence[str]) -> str:
    """The verb of `rl-pipeline` that the configured node stands for.

    Of the arguments only the overrides of the `ros` section say which node it is; the others are for the verb to judge.

    Raises:
        InputError: the configuration is wrong, or names another package or node.
    """
    overrides = [argument for argument in arguments if argument.lstrip("+").startswith(SECTIONS)]
    ros = load_config(overrides=overrides).simulation.ros
    if ros.package_name != PACKAGE:
        raise UnknownNameError("package", ros.package_name, [PACKAGE], "ros.package_name")
    if ros.node_name not in NODES:
        raise UnknownNameError("node", ros.node_name, NODES, "ros.node_name")
    return ros.node_name


def main() -> None:
    """Run the node with the arguments of the command line."""
    arguments = sys.argv[1:]
    sys.exit(cli.guarded(lambda: cli.run([node_verb(arguments), *arguments]), "--debug" in arguments))


if __name__ == "__main__":
    main()
