"""Keys of a deployment file that are unknown, missing or of a wrong value are named with the nearest valid one."""

import pytest

from rl_pipeline.deployment.config import read_deployment
from rl_pipeline.errors import InputError
from tests.support.deployment_file import VEHICLE, changed_vehicle


def test_the_shipped_vehicle_acts_only_when_it_is_enabled():
    deployment = read_deployment(VEHICLE)
    assert not deployment.enabled
    assert deployment.state["odom"].watched
    assert not deployment.state["goal_pose"].watched


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("rat", 10, "robot.yaml: rat: unknown key; did you mean 'rate'"),
        ("rate", -1, "robot.yaml: rate: expected a number greater than 0, found -1"),
        ("action.topik", "x", "robot.yaml: action.topik: unknown key; did you mean 'topic'?"),
        ("action.topic", None, "robot.yaml: action.topic: expected name of the topic, found nothing"),
    ],
)
def test_a_wrong_key_or_value_is_refused_by_its_name(tmp_path, path, value, message):
    with pytest.raises(InputError) as error:
        read_deployment(changed_vehicle(tmp_path, path, value))
    assert message in str(error.value)
