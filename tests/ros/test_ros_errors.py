"""What is wrong with ROS on a machine is said in one clear message."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rl_pipeline.cli.doctor import findings
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.ros.installation import require_interfaces, require_ros

INTERFACES = Path(__file__).parents[2] / "ros_ws/src/interfaces_pkg"
STEP = "interfaces_pkg/NavigationStep"


@pytest.fixture
def with_ros():
    pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")


def test_a_python_without_rclpy_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    with pytest.raises(InputError, match=r"this Python has no rclpy; install it into \.venv: bash install\.bash ros"):
        require_ros()
    assert next(finding for finding in findings() if finding.name == "ROS 2").available is None


def test_a_distribution_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    monkeypatch.setenv("ROS_DISTRO", "foxy")
    with pytest.raises(InputError, match="ROS_DISTRO is foxy, but"):
        require_ros()


@pytest.mark.usefixtures("with_ros")
def test_a_distribution_other_than_that_of_rclpy_is_refused_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setenv("ROS_DISTRO", "humble")
    command = [sys.executable, "-m", "rl_pipeline.cli", "train", "--config-name", "navigation_ppo", "ros.backend=ros2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ROS_DISTRO: expected kilted, of which rclpy is (")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "experiments").exists()


@pytest.mark.usefixtures("with_ros")
def test_a_workspace_that_is_not_built_says_how_to_build_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "interfaces_pkg", None)
    with pytest.raises(InputError, match=r"interfaces_pkg is not built for this Python; run: bash ros_ws/build\.bash"):
        require_interfaces()


@pytest.mark.usefixtures("with_ros")
@pytest.mark.parametrize(
    ("file", "line", "change", "problem"),
    [
        ("msg/NavigationState.msg", "float32 health", "float64 health", "state.health: expected double, found float"),
        (
            "msg/Lidar2D.msg",
            "float32[] ranges",
            "float32[] distances",
            "state.lidar.distances: expected sequence<float>",
        ),
        ("srv/NavigationStep.srv", "bool render", "", "request.render: expected no such field, found boolean"),
    ],
)
def test_a_workspace_built_from_other_definitions_names_the_field(tmp_path, file, line, change, problem):
    from rl_pipeline.ros.definitions import check_built

    shutil.copytree(INTERFACES, tmp_path / "interfaces_pkg")
    changed = tmp_path / "interfaces_pkg" / file
    changed.write_text(changed.read_text().replace(line, change))
    with pytest.raises(InputError, match=r"NavigationStep\.(request|response)") as error:
        check_built(load_interfaces(tmp_path).service(STEP))
    assert problem in str(error.value)
    check_built(load_interfaces(INTERFACES.parent).service(STEP))


@pytest.mark.usefixtures("with_ros")
def test_nodes_that_mean_another_by_a_type_are_told_apart():
    from std_srvs.srv import SetBool, Trigger

    from rl_pipeline.ros.definitions import check_server
    from rl_pipeline.ros.session import RosSession

    with RosSession("one") as one, RosSession("other") as other:
        other.node.create_service(SetBool, "/same/name", lambda request, response: response)
        one.node.create_client(Trigger, "/same/name")
        topic = "rq/same/nameRequest"
        assert one.spin_until(lambda: one.node.get_subscriptions_info_by_topic(topic, no_mangle=True), 20)
        assert one.spin_until(lambda: one.node.get_publishers_info_by_topic(topic, no_mangle=True), 20)
        with pytest.raises(InputError, match=r"the request of some/Type is defined differently by .* and "):
            check_server(one.node, "/same/name", "some/Type")


@pytest.mark.usefixtures("with_ros")
def test_types_that_are_not_there_are_told_with_the_nearest():
    from rl_pipeline.ros.message_types import message_class, service_class

    with pytest.raises(
        UnknownNameError, match="unknown message 'sensor_msgs/LaserScam'; did you mean 'sensor_msgs/Las"
    ):
        message_class("sensor_msgs/LaserScam")
    with pytest.raises(InputError, match=r"no ROS package their_msgs is installed; .* ros-kilted-their-msgs"):
        service_class("their_msgs/Service")


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
