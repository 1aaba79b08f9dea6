import math

import mujoco
import numpy as np
import pytest

from rl_pipeline.players.lidar import (
    ANGLE_INCREMENT,
    NUM_RAYS,
    RANGE_MAX,
    TAG_NONE,
    TAG_OBSTACLE,
    TAG_TARGET,
    TAG_WALL,
)
from rl_pipeline.players.navigation.arena import HALF_SIDE
from rl_pipeline.players.navigation.scene import NavigationScene


@pytest.fixture
def scene() -> NavigationScene:
    """An arena without obstacles and beacon."""
    scene = NavigationScene()
    scene.data.mocap_pos[:, 0] = 50.0
    mujoco.mj_forward(scene.model, scene.data)
    return scene


def scan(scene: NavigationScene, x: float, y: float, yaw: float) -> None:
    scene.data.qpos[:] = (x, y, yaw)
    mujoco.mj_forward(scene.model, scene.data)
    scene.lidar.scan(scene.data, x, y, math.cos(yaw), math.sin(yaw))


@pytest.mark.parametrize(("x", "y", "yaw"), [(0.0, 0.0, 0.0), (3.2, -1.5, 0.4), (-4.0, 4.1, -2.5), (1.0, 2.0, math.pi)])
def test_ranges_to_the_walls_are_those_of_geometry(scene: NavigationScene, x: float, y: float, yaw: float) -> None:
    scan(scene, x, y, yaw)
    angles = yaw + ANGLE_INCREMENT * np.arange(NUM_RAYS)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_x = (HALF_SIDE * np.sign(np.cos(angles)) - x) / np.cos(angles)
        to_y = (HALF_SIDE * np.sign(np.sin(angles)) - y) / np.sin(angles)
    expected = np.minimum(np.where(to_x > 0, to_x, np.inf), np.where(to_y > 0, to_y, np.inf))
    np.testing.assert_allclose(scene.lidar.ranges, np.minimum(expected, RANGE_MAX), atol=1e-9)
    np.testing.assert_array_equal(scene.lidar.tags, np.where(expected <= RANGE_MAX, TAG_WALL, TAG_NONE))


def test_ray_7_or_8_of_30_points_left_and_the_vehicle_does_not_see_itself(scene: NavigationScene) -> None:
    scan(scene, 0.0, HALF_SIDE - 1.0, 0.0)
    assert scene.lidar.ranges[:15].min() == scene.lidar.ranges[7:9].min() == pytest.approx(1.0, abs=0.01)
    assert scene.lidar.ranges[16:].min() > 5.0


def test_obstacles_and_beacon_have_their_tags_and_hide_what_is_behind(scene: NavigationScene) -> None:
    cylinder = scene.model.body("obstacle_6")
    scene.data.mocap_pos[cylinder.mocapid[0]] = (2.0, 0.0, 0.0)
    scene.data.mocap_pos[scene.model.body("beacon").mocapid[0]] = (-3.0, 0.0, 0.0)
    scan(scene, 0.0, 0.0, 0.0)
    radius = scene.model.geom("obstacle_6").size[0]
    assert scene.lidar.tags[0] == TAG_OBSTACLE
    assert scene.lidar.ranges[0] == pytest.approx(2.0 - radius)
    assert scene.lidar.tags[15] == TAG_TARGET
    assert scene.lidar.ranges[15] == pytest.approx(3.0 - scene.model.geom("beacon").size[0])


def test_something_beyond_the_greatest_range_is_not_seen(scene: NavigationScene) -> None:
    scan(scene, -HALF_SIDE + 1.0, 0.0, 0.0)
    assert scene.lidar.tags[0] == TAG_NONE
    assert scene.lidar.ranges[0] == RANGE_MAX
    assert scene.lidar.ranges.max() <= RANGE_MAX
