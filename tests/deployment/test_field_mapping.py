"""Mappings of a deployment are checked against the task and the message definitions, without ROS."""

import numpy as np
import pytest

from rl_pipeline.deployment.config import read_deployment
from rl_pipeline.deployment.field_mapping import ActionMapping, StateMapping
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.tasks.navigation import NavigationTask
from tests.support.deployment_file import VEHICLE, changed_vehicle

SIMULATION = VEHICLE.with_name("simulation.yaml")
STEP = load_interfaces().service("interfaces_pkg/NavigationStep")


def message(type_name, **values):
    return load_interfaces().message(type_name).encode(values)


def mappings(file):
    deployment = read_deployment(file)
    return StateMapping(deployment, STEP), ActionMapping(deployment.action, STEP)


def test_the_state_of_an_embedded_player_is_that_of_the_task():
    states, commands = mappings(SIMULATION)
    state = states.state({"navigation_0/state": message("interfaces_pkg/NavigationState", health=0.5)})
    assert state.health == 0.5
    assert commands.codec.name == "geometry_msgs/Twist"


def test_topics_and_constants_are_the_state_and_a_request_is_the_command():
    (states, commands), task = mappings(VEHICLE), NavigationTask()
    state = states.state(
        {
            "odom": message("nav_msgs/Odometry", **{"pose.pose.position.x": 1.0, "twist.twist.linear.x": 0.75}),
            "scan": message("sensor_msgs/LaserScan", ranges=np.linspace(1, 2, 30, dtype=np.float32)),
            "goal_pose": message("geometry_msgs/PoseStamped", **{"pose.position.x": 4.0}),
        }
    )
    assert (state.pose.position.x, state.target.position.x, state.health) == (1.0, 4.0, 1.0)
    observation = task.observation(state)
    assert observation.shape == (1, 38)
    np.testing.assert_allclose(observation[0, 2:4], [0.3, 0.5], rtol=1e-6)

    command = commands.message(task.request(np.array([[1.0, -0.5]], np.float32)))
    twist = load_interfaces().message("geometry_msgs/Twist").decode(command)
    assert (twist["linear"]["x"], twist["angular"]["z"]) == (1.5, -1.0)


def test_a_topic_may_carry_the_state_as_it_is(tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text(
        "state: {state: {type: interfaces_pkg/NavigationState}}\n"
        "action: {topic: cmd, type: geometry_msgs/Twist, fields: {linear.x: action.linear.x}}\n"
    )
    state = mappings(file)[0].state({"state": message("interfaces_pkg/NavigationState", health=0.5)})
    assert state.health.tolist() == [0.5]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "state.scan.type",
            "sensor_msgs/LaserScam",
            "unknown message 'sensor_msgs/LaserScam'; did you mean 'sensor_ms",
        ),
        ("state.odom.fields.pose", "pose", "pose is a geometry_msgs/Pose, and pose is a geometry_msgs/PoseWithCovar"),
        ("state.odom.fields.pose", "pose.pos", "state.odom.fields.pose: unknown field of nav_msgs/Odometry 'pose.pos'"),
        ("state.odom.fields.posse", "pose.pose", "unknown field of interfaces_pkg/NavigationState 'posse'; did you m"),
        ("state.goal_pose", None, "state: nothing gives target.position.x, target.position.y, target.position.z"),
        ("constants.health", None, "state: nothing gives health of interfaces_pkg/NavigationState; map them to a"),
        ("action.fields", {"linear.x": "action.linear"}, "linear.x is a number, and action.linear is a geometry_msgs/"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_by_its_key(tmp_path, path, value, message):
    file = changed_vehicle(tmp_path, path, value)
    with pytest.raises(InputError) as error:
        mappings(file)
    assert message in str(error.value)
