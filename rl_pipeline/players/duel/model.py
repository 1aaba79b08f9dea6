"""MuJoCo model of the duel; compiled once, a reset moves its bodies."""

from __future__ import annotations

from typing import Final

import mujoco

from rl_pipeline.players.arena_geometry import add_collisions, add_obstacle, walled_arena
from rl_pipeline.players.duel.arena import COVER, HALF_SIDE
from rl_pipeline.players.tracked_vehicle import (
    UNTOUCHED,
    Paint,
    add_looks,
    add_vehicle,
    add_velocity_servo,
    turret_parts,
)

SIDES: Final = ("blue", "red")

MAX_TURRET_RATE: Final = 2.5
"""Greatest target rate of a turret relative to its hull, to either side, rad/s."""

PAINTS: Final = {
    "blue": Paint((0.24, 0.47, 0.86, 1.0), (0.16, 0.34, 0.68, 1.0), (0.44, 0.66, 0.97, 1.0)),
    "red": Paint((0.87, 0.30, 0.26, 1.0), (0.68, 0.20, 0.18, 1.0), (0.97, 0.51, 0.44, 1.0)),
}

_TURRET_MASS: Final = 2.0
"""kg."""
_TURRET_GAIN: Final = 1.0
"""N m per rad/s; with the turret's moment of inertia, 2 / 2 * 0.14^2 = 0.02 kg m^2, a time constant of 0.02 s."""
_GROUP_UNSEEN: Final = 4
"""Geom group that neither rays see nor MuJoCo draws."""


def build_model() -> mujoco.MjModel:
    """Compile the model: ground, walls, the mocap bodies obstacle_<i>, and a vehicle with a turret for each side.

    Obstacles 2i and 2i + 1 are the pair of COVER[i]. Each vehicle has the joints x, y, yaw and turret, in this order,
    and the actuators drive, grip, turn and turret.
    """
    spec = walled_arena(HALF_SIDE)
    for index, shape in enumerate(shape for shape in COVER for _ in SIDES):
        add_obstacle(spec, f"obstacle_{index}", shape)
    for side in SIDES:
        vehicle = add_vehicle(spec, f"{side}_", paint=PAINTS[side], fixed_turret=False)
        _mount_turret(spec, vehicle, side)
    add_collisions(spec)
    return spec.compile()


def _mount_turret(spec: mujoco.MjSpec, vehicle: mujoco.MjsBody, side: str) -> None:
    """Add a turret that turns on the hull."""
    # A cylinder with the mass; the parts that show have none.
    turret = vehicle.add_body(name=f"{side}_turret")
    turret.add_joint(name=f"{side}_turret", type=mujoco.mjtJoint.mjJNT_HINGE, axis=(0, 0, 1))
    turret.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=(0.14, 0.05, 0.0),
        pos=(0, 0, 0.27),
        mass=_TURRET_MASS,
        group=_GROUP_UNSEEN,  # shots and lidars hit the hull
        **UNTOUCHED,
    )
    # The servo drives the joint; its torque acts on the hull too.
    servo = add_velocity_servo(spec, f"{side}_turret", _TURRET_GAIN)
    servo.trntype, servo.target = mujoco.mjtTrn.mjTRN_JOINT, f"{side}_turret"
    add_looks(turret, turret_parts(PAINTS[side]))
