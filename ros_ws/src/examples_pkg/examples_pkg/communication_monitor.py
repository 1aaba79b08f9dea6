"""Show where the time of steps goes: `rl-pipeline monitor` as a node."""

from rl_pipeline.cli.nodes import ros_node


def main() -> None:
    """Run the node."""
    ros_node.main("monitor", "communication_monitor")


if __name__ == "__main__":
    main()
