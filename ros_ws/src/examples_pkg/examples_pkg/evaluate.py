"""Judge an agent: `rl-pipeline evaluate` as a node, whose parameters are the verb's options and overrides."""

from rl_pipeline.cli.nodes import ros_node


def main() -> None:
    """Run the node."""
    ros_node.main("evaluate")


if __name__ == "__main__":
    main()
