"""Tracked vehicle: a hull on two tracks with a turret, which moves in the plane."""

from __future__ import annotations

from typing import Final, NamedTuple

import mujoco

from rl_pipeline.players.rendering.picture import Colour

MAX_SPEED: Final = 1.5
"""Greatest target speed forward and backward, m/s."""

MAX_TURN_RATE: Final = 2.0
"""Greatest target turn rate to either side, rad/s."""

MASS: Final = 30.0
"""Mass of the vehicle, kg."""
DRIVE_FORCE: Final = 120.0
"""Greatest force of the tracks forward or backward, N: an acceleration of 4 m/s^2."""

HALF_LENGTH: Final = 0.35
"""Half the length of the hull, m."""
HALF_WIDTH: Final = 0.25
"""Half the width of the hull, m."""
LIDAR_HEIGHT: Final = 0.22
"""Height of the lidar's plane above the ground, m; every wall and obstacle is higher."""

GROUP_DECORATION: Final = 1
"""Geom group of parts that are drawn, but not seen by lidars."""
GROUP_HIDDEN: Final = 3
"""Geom group that MuJoCo does not draw."""

UNTOUCHED: Final = {"contype": 0, "conaffinity": 0}
"""Arguments of a geom that collides only in named pairs."""

# Velocity servos: force = gain * (target - velocity), within its limit. The time constant of a gain k on a mass m is
# m / k: 0.1 s forward, and 1 ms sideways, which is the grip of the tracks. Turning acts on the moment of inertia of the
# hull, MASS / 3 * (HALF_LENGTH^2 + HALF_WIDTH^2) = 1.85 kg m^2: 0.07 s.
_DRIVE_GAIN: Final = 300.0
"""N per m/s."""
_GRIP_GAIN: Final = 30000.0
"""N per m/s."""
_TURN_GAIN: Final = 25.0
"""N m per rad/s."""
_TURN_TORQUE: Final = 22.0
"""Greatest torque of the tracks, N m."""


class Paint(NamedTuple):
    """Colours of a vehicle: deck, dark parts on it, and turret."""

    deck: Colour
    dark: Colour
    light: Colour


AMBER: Final = Paint((0.94, 0.57, 0.20, 1.0), (0.80, 0.44, 0.13, 1.0), (0.98, 0.74, 0.36, 1.0))

_RUBBER: Final = (0.17, 0.18, 0.21, 1.0)
_STEEL: Final = (0.55, 0.58, 0.63, 1.0)
_STEEL_DARK: Final = (0.31, 0.33, 0.37, 1.0)
_GLASS: Final = (0.36, 0.72, 0.86, 1.0)

_BOX: Final = mujoco.mjtGeom.mjGEOM_BOX
_CYLINDER: Final = mujoco.mjtGeom.mjGEOM_CYLINDER
# Quaternions (w, x, y, z) that turn the axis of a cylinder, which is z, to z, y and x.
_UPRIGHT: Final = (1.0, 0.0, 0.0, 0.0)
_FACING_SIDE: Final = (0.7071068, 0.7071068, 0.0, 0.0)
_FACING_FRONT: Final = (0.7071068, 0.0, 0.7071068, 0.0)


def add_vehicle(
    spec: mujoco.MjSpec, prefix: str = "", *, paint: Paint = AMBER, looks: bool = True, fixed_turret: bool = True
) -> mujoco.MjsBody:
    """Add the body `vehicle` with the joints x, y and yaw, the actuators drive, grip and turn, and the sensor touch.

    The actuators are velocity servos in the frame of a site on the vehicle: they act forward, sideways and about the
    vertical for any heading. The target of grip stays 0: it keeps the tracks from slipping sideways.

    Args:
        spec: model to which the vehicle is added.
        prefix: prefix of all names, for models with several vehicles.
        paint: colours of the vehicle.
        looks: False for the hull alone, without parts that only show.
        fixed_turret: True for a turret that does not turn, as one of these parts.

    Returns:
        The body, to mount further parts on it.
    """
    # Planar motion: two slides and a hinge, in the frame of the world.
    body = spec.worldbody.add_body(name=f"{prefix}vehicle")
    body.add_joint(name=f"{prefix}x", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(1, 0, 0))
    body.add_joint(name=f"{prefix}y", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(0, 1, 0))
    body.add_joint(name=f"{prefix}yaw", type=mujoco.mjtJoint.mjJNT_HINGE, axis=(0, 0, 1))
    # The hull collides, has the mass and is hidden behind the parts that show.
    body.add_geom(
        name=f"{prefix}hull",
        type=_BOX,
        size=(HALF_LENGTH, HALF_WIDTH, 0.1),
        pos=(0, 0, 0.16),
        mass=MASS,
        group=GROUP_HIDDEN,
        **UNTOUCHED,
    )
    # Servos on a site whose box encloses the hull. A gear has three translations and three rotations.
    frame = f"{prefix}frame"
    body.add_site(name=frame, size=(HALF_LENGTH + 0.2, HALF_WIDTH + 0.2, 0.3), type=_BOX, group=GROUP_HIDDEN)
    for name, gear, gain, force in (
        ("drive", (1, 0, 0, 0, 0, 0), _DRIVE_GAIN, DRIVE_FORCE),
        ("grip", (0, 1, 0, 0, 0, 0), _GRIP_GAIN, None),
        ("turn", (0, 0, 0, 0, 0, 1), _TURN_GAIN, _TURN_TORQUE),
    ):
        servo = add_velocity_servo(spec, f"{prefix}{name}", gain, force)
        servo.trntype, servo.target, servo.gear = mujoco.mjtTrn.mjTRN_SITE, frame, gear
    # The sum of normal contact forces within the site's box, N.
    spec.add_sensor(
        name=f"{prefix}touch",
        type=mujoco.mjtSensor.mjSENS_TOUCH,
        objtype=mujoco.mjtObj.mjOBJ_SITE,
        objname=frame,
    )
    if looks:
        add_looks(body, hull_parts(paint))
    if looks and fixed_turret:
        add_looks(body, turret_parts(paint))
    return body


def add_velocity_servo(spec: mujoco.MjSpec, name: str, gain: float, force: float | None = None) -> mujoco.MjsActuator:
    """Add an actuator whose control is a target velocity.

    Its force is gain * (target - velocity): `gainprm` acts on the control, the third number of `biasprm` on the
    velocity (MuJoCo's XML reference, actuator/general).

    Args:
        spec: model to which the actuator is added.
        name: its name.
        gain: N per m/s, or N m per rad/s.
        force: limit of the force, N or N m; None: unlimited.

    Returns:
        The actuator; the caller sets the joint or site that it drives.
    """
    return spec.add_actuator(
        name=name,
        gaintype=mujoco.mjtGain.mjGAIN_FIXED,
        gainprm=[gain] + [0.0] * 9,
        biastype=mujoco.mjtBias.mjBIAS_AFFINE,
        biasprm=[0.0, 0.0, -gain] + [0.0] * 7,
        forcelimited=force is not None,
        forcerange=(-(force or 0.0), force or 0.0),
    )


class Part(NamedTuple):
    """A geom that only shows: kind, half sizes (m), position (m) and quaternion on its body, and colour."""

    kind: mujoco.mjtGeom
    size: tuple[float, float, float]
    position: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]
    colour: Colour


def hull_parts(paint: Paint) -> list[Part]:
    """Return the visible parts of hull and tracks."""
    parts: list[Part] = []
    # Tracks: a box between two half circles, road wheels, and links on top.
    for side in (-0.195, 0.195):
        parts.append(Part(_BOX, (0.26, 0.055, 0.085), (0.0, side, 0.095), _UPRIGHT, _RUBBER))
        for end in (-0.26, 0.26):
            parts.append(Part(_CYLINDER, (0.085, 0.055, 0.0), (end, side, 0.095), _FACING_SIDE, _RUBBER))
        for wheel in (-0.24, -0.08, 0.08, 0.24):
            parts.append(Part(_CYLINDER, (0.058, 0.006, 0.0), (wheel, side * 1.28, 0.09), _FACING_SIDE, _STEEL))
        for link in (-0.25, -0.15, -0.05, 0.05, 0.15, 0.25):
            parts.append(Part(_BOX, (0.018, 0.056, 0.004), (link, side, 0.182), _UPRIGHT, _STEEL_DARK))
    # Deck and engine cover.
    return [
        *parts,
        Part(_BOX, (0.31, 0.135, 0.06), (0.0, 0.0, 0.16), _UPRIGHT, paint.deck),
        Part(_BOX, (0.09, 0.11, 0.012), (-0.21, 0.0, 0.23), _UPRIGHT, paint.dark),
    ]


def turret_parts(paint: Paint) -> list[Part]:
    """Return the visible parts of a turret that faces ahead: body, mantlet, barrel, and a sensor with its glass."""
    return [
        Part(_CYLINDER, (0.14, 0.05, 0.0), (-0.02, 0.0, 0.27), _UPRIGHT, paint.light),
        Part(_BOX, (0.05, 0.04, 0.03), (0.12, 0.0, 0.27), _UPRIGHT, paint.light),
        Part(_CYLINDER, (0.024, 0.13, 0.0), (0.29, 0.0, 0.275), _FACING_FRONT, _RUBBER),
        Part(_CYLINDER, (0.055, 0.03, 0.0), (-0.05, 0.0, 0.35), _UPRIGHT, _RUBBER),
        Part(_CYLINDER, (0.045, 0.012, 0.0), (-0.05, 0.0, 0.39), _UPRIGHT, _GLASS),
    ]


def add_looks(body: mujoco.MjsBody, parts: list[Part]) -> None:
    """Add geoms that only show: they have no mass, collide with nothing, and no lidar sees them."""
    for part in parts:
        body.add_geom(
            type=part.kind,
            size=part.size,
            pos=part.position,
            quat=part.quaternion,
            rgba=part.colour,
            mass=0.0,
            group=GROUP_DECORATION,
            **UNTOUCHED,
        )
