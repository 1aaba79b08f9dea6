"""What the scenes with tracked vehicles have around them: ground, walls, light, and physics in the plane."""

from __future__ import annotations

from typing import Final

import mujoco

from rl_pipeline.players.tracked_vehicle import GROUP_DECORATION

WALL_HALF_THICKNESS: Final = 0.1
WALL_HALF_HEIGHT: Final = 0.25

_GROUND: Final = (0.83, 0.85, 0.87, 1.0)
_TILE_LIGHT: Final = (0.945, 0.93, 0.895)
_TILE_DARK: Final = (0.915, 0.895, 0.855)
_WALL: Final = (0.66, 0.73, 0.79, 1.0)


def walled_arena(half_side: float) -> mujoco.MjSpec:
    """A square floor within walls, `half_side` metres from its centre to each, for vehicles that move in the plane."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.gravity = (0.0, 0.0, 0.0)  # vehicles move in the plane only, so nothing can fall
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.iterations = 20
    spec.option.disableflags = mujoco.mjtDisableBit.mjDSBL_ISLAND | mujoco.mjtDisableBit.mjDSBL_MULTICCD
    _set_looks(spec, half_side)
    _add_ground(spec, half_side)
    _add_walls(spec, half_side)
    return spec


def _set_looks(spec: mujoco.MjSpec, half_side: float) -> None:
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
    tiles = spec.add_material(name="tiles", texrepeat=(half_side, half_side), specular=0.0)
    tiles.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "tiles"


def _add_ground(spec: mujoco.MjSpec, half_side: float) -> None:
    """The ground outside, and the arena's floor a finger's breadth above it; neither touches anything."""
    plane = {"type": mujoco.mjtGeom.mjGEOM_PLANE, "contype": 0, "conaffinity": 0, "group": GROUP_DECORATION}
    spec.worldbody.add_geom(name="ground", pos=(0, 0, -0.02), size=(0, 0, 1), rgba=_GROUND, **plane)
    spec.worldbody.add_geom(name="floor", size=(half_side, half_side, 1), material="tiles", **plane)


def _add_walls(spec: mujoco.MjSpec, half_side: float) -> None:
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
            contype=0,
            conaffinity=1,
            condim=1,
        )
