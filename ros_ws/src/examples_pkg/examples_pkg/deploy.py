"""Run a trained policy on a robot: `rl-pipeline deploy` as a node, whose parameters are its options and overrides."""

from rl_pipeline.cli.nodes import ros_node


def main() -> None:
    """Run the node."""
    ros_node.main("deploy")


if __name__ == "__main__":
    main()
