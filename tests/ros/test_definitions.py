"""Definitions of a built workspace, and of other nodes, that differ from those in use."""

import shutil
from pathlib import Path

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import load_interfaces

INTERFACES = Path(__file__).parents[2] / "ros_ws/src/interfaces_pkg"
STEP = "interfaces_pkg/NavigationStep"


@pytest.fixture
def with_ros():
    pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")


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
