"""Film an agent: `rl-pipeline play` as a node, whose parameters are the verb's options and overrides."""

from rl_pipeline.cli.nodes import ros_node


def main() -> None:
    """Run the node."""
    ros_node.main("play")


if __name__ == "__main__":
    main()
