import numpy as np
import pytest

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.tasks.duel import DuelTask
from rl_pipeline.tasks.testing import TaskTestMixin

RAYS = 4
LENGTHS = {f"{side}.lidar.{field}": RAYS for side in ("blue", "red") for field in ("ranges", "tags")}


def states(n=1, **fields):
    batch = load_interfaces().message("interfaces_pkg/DuelState").layout(LENGTHS).empty(n)
    defaults = {f"{side}.{name}": 1.0 for side in ("blue", "red") for name in ("pose.orientation.w", "health")}
    for name, value in {**defaults, **fields}.items():
        batch[name] = value
    return batch


def facing(n=1, **fields):
    """Red 4 m ahead of blue, looking at it."""
    turned = {"red.pose.position.x": 4.0, "red.pose.orientation.w": 0.0, "red.pose.orientation.z": 1.0}
    return states(n, **{**turned, **fields})


def test_both_see_the_same_where_they_are_in_the_same_place():
    task, state = (
        DuelTask(RAYS),
        facing(**{"blue.turret": 0.3, "red.turret": 0.3, "blue.reload": 0.5, "red.reload": 0.5}),
    )
    np.testing.assert_allclose(task.observation(state), task.opponent_observation(state), atol=1e-6)


def test_what_one_sees_of_the_other_is_what_the_other_knows_of_itself():
    task = DuelTask(RAYS)
    state = facing(**{"blue.health": 0.4, "red.health": 0.8, "red.reload": 0.7, "red.twist.linear.x": 1.5})
    own, foe = task.observation(state)[0], task.opponent_observation(state)[0]
    assert own[10] == pytest.approx(0.4) == foe[18]
    assert own[19] == pytest.approx(0.7) == foe[11]
    assert own[12] == pytest.approx(-1.0)  # it comes nearer


def test_the_gun_is_seen_to_be_on_target_only_when_it_is():
    task, state = DuelTask(RAYS), facing(3, **{"blue.turret": [0.0, 0.1, 1.0]})
    assert task.observation(state)[:, 20] == pytest.approx([1.0, np.exp(-1), 0.0], abs=1e-6)


def test_hits_are_rewarded_and_being_hit_is_not():
    task, actions = DuelTask(RAYS), np.zeros((4, 4))
    after = facing(4, **{"blue.health": [1.0, 0.8, 1.0, 0.0], "red.health": [0.8, 1.0, 0.0, 1.0]})
    np.testing.assert_allclose(task.reward(facing(4), actions, after), [0.995, -1.005, 9.995, -10.005], atol=1e-6)


def test_bringing_the_gun_nearer_is_rewarded_a_little():
    task, actions = DuelTask(RAYS), np.zeros((1, 4))
    reward = task.reward(facing(**{"blue.turret": 1.0}), actions, facing(**{"blue.turret": 0.5}))
    assert reward[0] == pytest.approx(0.145)


def test_an_episode_ends_with_either_and_says_who_won():
    task = DuelTask(RAYS)
    state = facing(4, **{"blue.health": [1.0, 1.0, 0.0, 0.0], "red.health": [1.0, 0.0, 1.0, 0.0]})
    assert task.terminated(state).tolist() == [False, True, True, True]
    assert task.result(state).tolist() == [0.5, 1.0, 0.0, 0.5]
    assert task.info(state)["is_success"].tolist() == [False, True, False, False]


def test_orders_are_for_the_side_that_gives_them():
    task, actions = DuelTask(RAYS), np.array([[1.0, -2.0, 0.5, 0.1]])
    blue, red = task.request(actions), task.opponent_request(actions)
    assert {name.partition(".")[2]: value.tolist() for name, value in blue.items()} == {
        name.partition(".")[2]: value.tolist() for name, value in red.items()
    }
    assert blue["blue.drive.angular.z"].tolist() == [-2.0]
    assert red["red.fire"].tolist() == [True]


class TestDuelTask(TaskTestMixin):
    lengths = LENGTHS

    def make_task(self):
        return DuelTask(RAYS)
