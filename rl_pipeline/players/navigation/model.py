"""The MuJoCo model of the arena: compiled once, then laid out anew by moving its bodies."""

from __future__ import annotations

from typing import Final

import mujoco
import numpy as np

from rl_pipeline.players.navigation.arena import (
    HALF_SIDE,
    OBSTACLES,
    WALL_HALF_HEIGHT,
    WALL_HALF_THICKNESS,
    Obstacle,
)
from rl_pipeline.players.navigation.vehicle import GROUP_DECORATION, add_vehicle

_GROUND: Final = (0.83, 0.85, 0.87, 1.0)
_TILE_LIGHT: Final = (0.945, 0.93, 0.895)
_TILE_DARK: Final = (0.915, 0.895, 0.855)
_WALL: Final = (0.66, 0.73, 0.79, 1.0)
_BOX: Final = (0.33, 0.51, 0.66, 1.0)
_CYLINDER: Final = (0.58, 0.47, 0.66, 1.0)
_BEACON: Final = (0.16, 0.64, 0.42, 1.0)
_BEACON_LIGHT: Final = (0.45, 0.88, 0.62, 1.0)


def build_model(*, looks: bool = True) -> mujoco.MjModel:
    """Compile the scene: static ground and walls, the mocap bodies obstacle_<i> and beacon, and the vehicle.

    Without `looks` the vehicle is its hull alone. It moves alike, bit for bit, in less time.
    """
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.gravity = (0.0, 0.0, 0.0)  # the vehicle moves in the plane only, so nothing can fall
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.iterations = 20
    spec.option.disableflags = mujoco.mjtDisableBit.mjDSBL_ISLAND | mujoco.mjtDisableBit.mjDSBL_MULTICCD
    _set_looks(spec)
    _add_ground(spec)
    _add_walls(spec)
    for index, shape in enumerate(OBSTACLES):
        _add_obstacle(spec, f"obstacle_{index}", shape)
    _add_beacon(spec)
    add_vehicle(spec, looks=looks)
    return spec.compile()


def _set_looks(spec: mujoco.MjSpec) -> None:
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 640, 480
    spec.visual.headlight.ambient = (0.58, 0.58, 0.58)
    spec.visual.headlight.diffuse = (0.06, 0.06, 0.06)
    spec.visual.headlight.specular = (0.0, 0.0, 0.0)
    spec.visual.map.znear = 0.05
    spec.worldbody.add_light(
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=(-4.0, -3.0, 9.0),
        dir=(0.45, 0.35, -1.0),
        diffuse=(0.42, 0.42, 0.42),
        specular=(0.1, 0.1, 0.1),
    )
    spec.add_texture(
        name="tiles",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        width=256,
        height=256,
        rgb1=_TILE_LIGHT,
        rgb2=_TILE_DARK,
    )
    tiles = spec.add_material(name="tiles", texrepeat=(HALF_SIDE, HALF_SIDE), specular=0.0)
    tiles.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "tiles"


def _add_ground(spec: mujoco.MjSpec) -> None:
    """The ground outside, and the arena's floor a finger's breadth above it; neither touches anything."""
    plane = {"type": mujoco.mjtGeom.mjGEOM_PLANE, "contype": 0, "conaffinity": 0, "group": GROUP_DECORATION}
    spec.worldbody.add_geom(name="ground", pos=(0, 0, -0.02), size=(0, 0, 1), rgba=_GROUND, **plane)
    spec.worldbody.add_geom(name="floor", size=(HALF_SIDE, HALF_SIDE, 1), material="tiles", **plane)


def _add_walls(spec: mujoco.MjSpec) -> None:
    centre = HALF_SIDE + WALL_HALF_THICKNESS
    along = (HALF_SIDE + 2 * WALL_HALF_THICKNESS, WALL_HALF_THICKNESS, WALL_HALF_HEIGHT)
    across = (WALL_HALF_THICKNESS, HALF_SIDE, WALL_HALF_HEIGHT)
    for name, x, y, size in (
        ("wall_right", 0.0, -centre, along),
        ("wall_left", 0.0, centre, along),
        ("wall_back", -centre, 0.0, across),
        ("wall_front", centre, 0.0, across),
    ):
        spec.worldbody.add_geom(
            name=name,
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=(x, y, WALL_HALF_HEIGHT),
            size=size,
            rgba=_WALL,
            contype=0,
            conaffinity=1,
            condim=1,
        )


def _add_obstacle(spec: mujoco.MjSpec, name: str, shape: Obstacle) -> None:
    body = spec.worldbody.add_body(name=name, mocap=True)
    solid = {"name": name, "pos": (0, 0, shape.half_height), "contype": 0, "conaffinity": 1, "condim": 1}
    if shape.radius:
        size = (shape.radius, shape.half_height, 0.0)
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=size, rgba=_CYLINDER, **solid)
    else:
        size = (shape.half_x, shape.half_y, shape.half_height)
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=size, rgba=_BOX, **solid)


def _add_beacon(spec: mujoco.MjSpec) -> None:
    """A thin post at the goal's centre that the lidar sees and the vehicle drives through."""
    body = spec.worldbody.add_body(name="beacon", mocap=True)
    free = {"contype": 0, "conaffinity": 0}
    cylinder, sphere = mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_SPHERE
    body.add_geom(name="beacon", type=cylinder, size=(0.04, 0.45, 0), pos=(0, 0, 0.45), rgba=_BEACON, **free)
    lamp = np.array((0.09, 0.0, 0.0))
    body.add_geom(type=sphere, size=lamp, pos=(0, 0, 0.96), rgba=_BEACON_LIGHT, group=GROUP_DECORATION, **free)
