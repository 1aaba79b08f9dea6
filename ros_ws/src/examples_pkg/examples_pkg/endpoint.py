"""Serve players in place of Unity's ros_tcp_endpoint: `rl-pipeline endpoint --ros2`, with ROS_IP and ROS_TCP_PORT."""

import sys

from rl_pipeline import cli


def main() -> None:
    """Run the node."""
    cli.main(["endpoint", "--ros2", *sys.argv[1:]])


if __name__ == "__main__":
    main()
