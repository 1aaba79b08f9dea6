"""MuJoCo model of the navigation arena; compiled once, a reset moves its bodies."""

from __future__ import annotations

from typing import Final

import mujoco
import numpy as np

from rl_pipeline.players.arena_geometry import add_collisions, add_obstacle, walled_arena
from rl_pipeline.players.navigation.arena import HALF_SIDE, OBSTACLES
from rl_pipeline.players.tracked_vehicle import GROUP_DECORATION, UNTOUCHED, add_vehicle

_BEACON: Final = (0.16, 0.64, 0.42, 1.0)
_BEACON_LIGHT: Final = (0.45, 0.88, 0.62, 1.0)


def build_model(*, looks: bool = True) -> mujoco.MjModel:
    """Compile the model: ground, walls, the mocap bodies obstacle_<i> and beacon, and the vehicle.

    Args:
        looks: False for a vehicle without parts that only show. It moves the same, bit for bit, in less time.
    """
    spec = walled_arena(HALF_SIDE)
    for index, shape in enumerate(OBSTACLES):
        add_obstacle(spec, f"obstacle_{index}", shape)
    _add_beacon(spec)
    add_vehicle(spec, looks=looks)
    add_collisions(spec)
    return spec.compile()


def _add_beacon(spec: mujoco.MjSpec) -> None:
    """Add a thin post at the centre of the goal; the lidar sees it, and the vehicle drives through it."""
    # The post is 0.9 m high. Its lamp is decoration, which the lidar does not see.
    body = spec.worldbody.add_body(name="beacon", mocap=True)
    cylinder, sphere = mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_SPHERE
    body.add_geom(name="beacon", type=cylinder, size=(0.04, 0.45, 0), pos=(0, 0, 0.45), rgba=_BEACON, **UNTOUCHED)
    lamp = np.array((0.09, 0.0, 0.0))
    body.add_geom(type=sphere, size=lamp, pos=(0, 0, 0.96), rgba=_BEACON_LIGHT, group=GROUP_DECORATION, **UNTOUCHED)
