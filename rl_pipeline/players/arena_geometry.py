"""Walled arenas for tracked vehicles: ground, walls, obstacles, light, and physics in the plane."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import mujoco
import numpy as np

from rl_pipeline.players.tracked_vehicle import GROUP_DECORATION, UNTOUCHED

WALL_HALF_THICKNESS: Final = 0.1
"""Half the thickness of a wall, m."""
WALL_HALF_HEIGHT: Final = 0.25
"""Half the height of a wall, m: walls reach above the plane of the lidar, which is 0.22 m."""

# Colours: red, green, blue and opacity, from 0 to 1.
_GROUND: Final = (0.83, 0.85, 0.87, 1.0)
_TILE_LIGHT: Final = (0.945, 0.93, 0.895)
_TILE_DARK: Final = (0.915, 0.895, 0.855)
_WALL: Final = (0.66, 0.73, 0.79, 1.0)
_BOX: Final = (0.33, 0.51, 0.66, 1.0)
_CYLINDER: Final = (0.58, 0.47, 0.66, 1.0)

OUT_OF_THE_WAY: Final = (0.0, 1000.0, 0.0)
"""Position of unused obstacles, m: beyond the range of every lidar and camera."""


@dataclass(frozen=True)
class Obstacle:
    """Shape of an obstacle: a box, or a cylinder if it has a radius.

    Attributes:
        half_x: half length of a box, m.
        half_y: half width of a box, m.
        radius: radius of a cylinder, m; 0 for a box.
        half_height: half height, m.
    """

    half_x: float
    half_y: float
    radius: float
    half_height: float

    @property
    def reach(self) -> float:
        """Radius of the circle around the footprint, m."""
        return self.radius or float(np.hypot(self.half_x, self.half_y))


def walled_arena(half_side: float) -> mujoco.MjSpec:
    """Make the model of a square floor within walls, for vehicles that move in the plane.

    Args:
        half_side: distance from the centre of the floor to each wall, m.
    """
    spec = mujoco.MjSpec()
    # Physics. Angles in this package are in radians.
    spec.compiler.degree = False
    spec.option.gravity = (0.0, 0.0, 0.0)  # vehicles have no vertical joint, so nothing can fall
    # Implicit in velocity: the stiff velocity servos of vehicles stay stable with steps of 0.02 s.
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # A vehicle has a few contacts at most: 20 iterations of the solver instead of MuJoCo's 100 are enough.
    spec.option.iterations = 20
    # Islands and several contact points for each pair of geoms only cost time with so few bodies.
    spec.option.disableflags = mujoco.mjtDisableBit.mjDSBL_ISLAND | mujoco.mjtDisableBit.mjDSBL_MULTICCD
    # Geometry.
    _set_looks(spec, half_side)
    _add_ground(spec, half_side)
    _add_walls(spec, half_side)
    return spec


def add_obstacle(spec: mujoco.MjSpec, name: str, shape: Obstacle) -> None:
    """Add the mocap body `name` with one geom of that name; each layout places it."""
    body = spec.worldbody.add_body(name=name, mocap=True)
    solid = {"name": name, "pos": (0, 0, shape.half_height), **UNTOUCHED}
    if shape.radius:
        size = (shape.radius, shape.half_height, 0.0)
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=size, rgba=_CYLINDER, **solid)
    else:
        size = (shape.half_x, shape.half_y, shape.half_height)
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=size, rgba=_BOX, **solid)


def add_collisions(spec: mujoco.MjSpec) -> None:
    """Make the hulls of vehicles collide with each other, with walls and with obstacles; nothing else collides.

    Naming these pairs saves MuJoCo the search for them, a sixth of the time of a step.
    """
    names = [geom.name for geom in spec.geoms]
    hulls = [name for name in names if name.endswith("hull")]
    solids = [name for name in names if name.startswith(("wall_", "obstacle_"))]
    for hull, other in (*itertools.combinations(hulls, 2), *itertools.product(hulls, solids)):
        # condim 1 is contact without friction: vehicles glide along walls, with friction they would get stuck.
        spec.add_pair(geomname1=hull, geomname2=other, condim=1)


def _set_looks(spec: mujoco.MjSpec, half_side: float) -> None:
    """Set size of frames, light and the texture of the floor."""
    # Frames of 640 by 480 pixels; nearer than 0.05 times the size of the model nothing is drawn.
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 640, 480
    # Mostly ambient light, so that no side of a vehicle is black. The painter uses the direction of the sun too.
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
    # A checkerboard with tiles of 1 m.
    spec.add_texture(
        name="tiles",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        width=256,
        height=256,
        rgb1=_TILE_LIGHT,
        rgb2=_TILE_DARK,
    )
    tiles = spec.add_material(name="tiles", texrepeat=(half_side, half_side), specular=0.0)
    tiles.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "tiles"


def _add_ground(spec: mujoco.MjSpec, half_side: float) -> None:
    """Add the ground outside and the floor of the arena, 0.02 m above it. Neither collides with anything."""
    # A size of 0 is an endless plane.
    plane = {"type": mujoco.mjtGeom.mjGEOM_PLANE, "group": GROUP_DECORATION, **UNTOUCHED}
    spec.worldbody.add_geom(name="ground", pos=(0, 0, -0.02), size=(0, 0, 1), rgba=_GROUND, **plane)
    spec.worldbody.add_geom(name="floor", size=(half_side, half_side, 1), material="tiles", **plane)


def _add_walls(spec: mujoco.MjSpec, half_side: float) -> None:
    """Add four walls, their inner faces `half_side` metres from the centre."""
    # Walls along x include the corners, walls across do not.
    centre = half_side + WALL_HALF_THICKNESS
    along = (half_side + 2 * WALL_HALF_THICKNESS, WALL_HALF_THICKNESS, WALL_HALF_HEIGHT)
    across = (WALL_HALF_THICKNESS, half_side, WALL_HALF_HEIGHT)
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
            **UNTOUCHED,
        )
