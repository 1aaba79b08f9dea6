import numpy as np

from rl_pipeline.benchmarks.camera_images import ImageTask
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.interfaces.images import ImageSpec
from rl_pipeline.tasks.navigation import NavigationTask
from rl_pipeline.tasks.testing import TaskTestMixin

RAYS = 4


def states(n=1, **fields):
    codec = load_interfaces().message("interfaces_pkg/NavigationState")
    batch = codec.layout({"lidar.ranges": RAYS, "lidar.tags": RAYS}).empty(n)
    defaults = {"health": 1.0, "target_radius": 0.6, "goal_timer.required": 1.0, "lidar.range_max": 6.0}
    for name, value in {**defaults, "pose.orientation.w": 1.0, "lidar.ranges": 6.0, **fields}.items():
        batch[name] = value
    return batch


def test_goal_is_seen_in_the_frame_of_the_vehicle():
    quarter = np.sqrt(0.5)
    state = states(
        2, **{"target.position.x": 5.0, "pose.orientation.z": [0, quarter], "pose.orientation.w": [1, quarter]}
    )
    observation = NavigationTask(RAYS).observation(state)
    np.testing.assert_allclose(observation[0, :3], [1, 0, 0.5], atol=1e-6)  # straight ahead, 5 m
    np.testing.assert_allclose(observation[1, :3], [0, -1, 0.5], atol=1e-6)  # facing left: it is to the right


def test_actions_become_twists_within_the_limits_of_the_vehicle():
    fields = NavigationTask(RAYS).request(np.array([[1.0, -1.0], [0.5, 7.0]], np.float32))
    np.testing.assert_allclose(fields["action.linear.x"], [1.5, 0.75])
    np.testing.assert_allclose(fields["action.angular.z"], [-2.0, 2.0])


def test_coming_nearer_is_rewarded_and_damage_is_not():
    task, actions = NavigationTask(RAYS), np.zeros((3, 2))
    before = states(3, **{"target.position.x": 5.0})
    after = states(3, **{"target.position.x": 5.0, "pose.position.x": [0.1, -0.1, 0.1], "health": [1.0, 1.0, 0.8]})
    np.testing.assert_allclose(task.reward(before, actions, after), [0.09, -0.11, -3.91], atol=1e-6)


def test_episode_ends_with_the_dwell_time_or_with_health():
    task = NavigationTask(RAYS)
    state = states(4, **{"goal_timer.elapsed": [0.0, 0.9, 1.0, 0.0], "health": [1.0, 1.0, 1.0, 0.0]})
    assert task.terminated(state).tolist() == [False, False, True, True]
    assert task.info(state)["is_success"].tolist() == [False, False, True, False]


def test_obstacles_near_by_are_seen_more_finely_than_distant_ones():
    observation = NavigationTask(RAYS).observation(
        states(2, **{"lidar.ranges": [[0.3, 3.0, 6.0, 6.0], [0.6, 6.0, 6.0, 6.0]]})
    )
    assert observation[0, 8] - observation[1, 8] > 4 * (observation[0, 9] - observation[1, 9]) > 0


def test_wreck_costs_more_than_the_damage_alone():
    task, actions = NavigationTask(RAYS), np.zeros((2, 2))
    before, after = states(2, health=0.1), states(2, health=[0.01, 0.0])
    reward = task.reward(before, actions, after)
    assert reward[1] < reward[0] - 5.0


def test_success_is_worth_more_than_any_way_to_it():
    task, actions = NavigationTask(RAYS), np.zeros((1, 2))
    before, after = states(**{"goal_timer.elapsed": 0.9}), states(**{"goal_timer.elapsed": 1.0})
    assert task.reward(before, actions, after)[0] > 9.0


def test_task_is_the_same_for_one_environment_and_for_many():
    task, rng = NavigationTask(RAYS), np.random.default_rng(0)
    many = states(5, **{"pose.position.x": rng.normal(size=5), "pose.position.y": rng.normal(size=5)})
    one_by_one = [task.observation(many.take(np.array([index]))) for index in range(5)]
    np.testing.assert_array_equal(task.observation(many), np.concatenate(one_by_one))


class TestImageTask(TaskTestMixin):
    lengths = {"lidar.ranges": RAYS, "lidar.tags": RAYS}  # noqa: RUF012

    def make_task(self):
        return ImageTask(ImageSpec(20, 30))


class TestNavigationTask(TaskTestMixin):
    lengths = {"lidar.ranges": RAYS, "lidar.tags": RAYS}  # noqa: RUF012

    def make_task(self):
        return NavigationTask(RAYS)
