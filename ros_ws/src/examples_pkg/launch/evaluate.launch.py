"""Judge an agent: `ros2 launch examples_pkg evaluate.launch.py experiment:=navigation_ppo`."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node


def generate_launch_description() -> LaunchDescription:
    """The node evaluate, with its parameters as launch arguments."""
    arguments = {
        "experiment": "navigation_ppo",
        "episodes": "20",
        "overrides": "['']",  # a list of ROS cannot be empty
        "use_sim_time": "false",
    }
    return LaunchDescription(
        [
            *(DeclareLaunchArgument(name, default_value=value) for name, value in arguments.items()),
            Node(
                package="examples_pkg",
                executable="evaluate",
                name="evaluate",
                output="screen",
                emulate_tty=True,
                parameters=[{name: LaunchConfiguration(name) for name in arguments}],
            ),
        ]
    )
