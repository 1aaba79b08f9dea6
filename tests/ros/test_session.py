"""A node with arguments or a domain that ROS refuses."""

from pathlib import Path

import pytest

from rl_pipeline.errors import InputError

INTERFACES = Path(__file__).parents[2] / "ros_ws/src/interfaces_pkg"
STEP = "interfaces_pkg/NavigationStep"


@pytest.fixture
def with_ros():
    pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")


@pytest.mark.usefixtures("with_ros")
@pytest.mark.parametrize("arguments", [["--ros-args", "-r", "nonsense"], ["--ros-args", "-p", "no_value"]])
def test_ros_arguments_that_are_none_are_refused(arguments):
    from rl_pipeline.ros.session import RosSession

    with pytest.raises(InputError, match="ROS 2: node cannot be made"):
        RosSession("node", arguments)


@pytest.mark.usefixtures("with_ros")
def test_a_domain_that_is_none_is_refused(monkeypatch):
    from rl_pipeline.ros.session import RosSession

    monkeypatch.setenv("ROS_DOMAIN_ID", "many")
    with pytest.raises(InputError, match="ROS_DOMAIN_ID: expected a whole number from 0 to 232, found 'many'"):
        RosSession("node")
