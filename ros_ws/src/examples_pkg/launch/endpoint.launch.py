"""Serve players: `ros2 launch examples_pkg endpoint.launch.py ROS_IP:=0.0.0.0 ROS_TCP_PORT:=10000`."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node


def generate_launch_description() -> LaunchDescription:
    """The node endpoint, with its parameters as launch arguments."""
    arguments = {
        "ROS_IP": "127.0.0.1",
        "ROS_TCP_PORT": "10000",
    }
    return LaunchDescription(
        [
            *(DeclareLaunchArgument(name, default_value=value) for name, value in arguments.items()),
            Node(
                package="examples_pkg",
                executable="endpoint",
                name="endpoint",
                output="screen",
                emulate_tty=True,
                parameters=[{name: LaunchConfiguration(name) for name in arguments}],
            ),
        ]
    )
