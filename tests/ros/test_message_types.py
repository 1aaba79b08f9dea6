"""Classes of messages and services by their names."""

from pathlib import Path

import pytest

from rl_pipeline.errors import InputError, UnknownNameError

INTERFACES = Path(__file__).parents[2] / "ros_ws/src/interfaces_pkg"
STEP = "interfaces_pkg/NavigationStep"


@pytest.fixture
def with_ros():
    pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")


@pytest.mark.usefixtures("with_ros")
def test_types_that_are_not_there_are_told_with_the_nearest():
    from rl_pipeline.ros.message_types import message_class, service_class

    with pytest.raises(
        UnknownNameError, match="unknown message 'sensor_msgs/LaserScam'; did you mean 'sensor_msgs/Las"
    ):
        message_class("sensor_msgs/LaserScam")
    with pytest.raises(InputError, match=r"no ROS package their_msgs is installed; .* ros-kilted-their-msgs"):
        service_class("their_msgs/Service")
