"""One vehicle of the duel: orders, pose, health and gun."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import mujoco
import numpy as np

from rl_pipeline.players import tracked_vehicle as vehicle
from rl_pipeline.players.duel.model import MAX_TURRET_RATE
from rl_pipeline.players.lidar import Lidar

NUM_RAYS: Final = 16
"""Rays of the lidar, one every 22.5 degrees."""
RELOAD_TIME: Final = 1.0
"""Least time between two shots, s."""

SHOT_DAMAGE: Final = 0.2
"""Loss of health by a hit: five destroy a vehicle."""

MUZZLE_HEIGHT: Final = 0.275
"""Height of the gun above the ground, m, for the picture; hits are computed in the plane of the lidar."""

_SEEN: Final = np.array((1, 0, 0, 1, 0, 0), np.uint8)
"""Mask of geom groups for shots and lidars: 0 has walls and obstacles, 3 has hulls."""

_RANGE: Final = 20.0
"""Range of a shot that hits nothing, m; the arena is smaller."""


@dataclass(frozen=True)
class Shot:
    """A shot.

    Attributes:
        start: x and y of the gun, m.
        end: x and y of the point that was hit, m.
        hit: True if this was the other vehicle.
        time: simulated time of the shot, s.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    hit: bool
    time: float


@dataclass
class Orders:
    """Orders of a vehicle: speed (m/s), turn rate (rad/s), turret rate (rad/s), and fire."""

    speed: float = 0.0
    turn_rate: float = 0.0
    turret_rate: float = 0.0
    fire: bool = False


class Fighter:
    """The vehicle of one side.

    Args:
        model: the compiled model.
        data: its state.
        side: `blue` or `red`.
        index: index of the side, 0 or 1.

    Attributes:
        health: from 1 (unharmed) to 0 (destroyed); a destroyed vehicle stands still and does not fire.
        reload: time until the gun is loaded, s.
        shot: last shot; None: none since the reset.
        lidar: lidar of the vehicle, with the scan of the last `look`.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, side: str, index: int) -> None:
        self._model = model
        self._data = data
        # Views of MuJoCo's arrays: x, y, yaw and turret; drive, grip, turn and turret.
        own = slice(4 * index, 4 * index + 4)
        self._position = data.qpos[own]
        self._velocity = data.qvel[own]
        self._control = data.ctrl[own]
        self._body = model.body(f"{side}_vehicle").id
        self._hull = model.geom(f"{side}_hull").id
        self.lidar = Lidar(model, vehicle.LIDAR_HEIGHT, f"{side}_vehicle", NUM_RAYS, _SEEN)
        # Arguments of mj_ray, reused in every shot.
        self._origin = np.array((0.0, 0.0, vehicle.LIDAR_HEIGHT))
        self._direction = np.zeros(3)
        self._geom = np.zeros(1, np.int32)
        self.reset((0.0, 0.0, 0.0), 1.0)

    def reset(self, pose: tuple[float, float, float], speed_scale: float) -> None:
        """Place the vehicle, unharmed and with a loaded gun.

        Args:
            pose: x (m), y (m) and heading (rad).
            speed_scale: actual speeds divided by those of the orders.
        """
        self._position[:] = (*pose, 0.0)
        self._scale = speed_scale
        self._fire = False
        self.health = 1.0
        self.reload = 0.0
        self.shot: Shot | None = None

    def obey(self, orders: Orders) -> None:
        """Hold orders, clipped to the limits of the vehicle; NaN counts as 0."""
        if self.health == 0.0:
            return
        self._control[0] = self._scale * _clip(orders.speed, vehicle.MAX_SPEED)
        self._control[2] = self._scale * _clip(orders.turn_rate, vehicle.MAX_TURN_RATE)
        self._control[3] = self._scale * _clip(orders.turret_rate, MAX_TURRET_RATE)
        self._fire = orders.fire

    def pose(self) -> tuple[float, float, float, float]:
        """Return x (m), y (m), heading of the hull (rad), and angle of the turret relative to the hull (rad)."""
        x, y, yaw, turret = self._position.tolist()
        return x, y, yaw, turret

    def twist(self) -> tuple[float, float, float]:
        """Return velocity forward and to the left (m/s) and turn rate (rad/s), in the frame of the hull."""
        x, y, turn_rate, _ = self._velocity.tolist()
        yaw = float(self._position[2])
        cos, sin = math.cos(yaw), math.sin(yaw)
        return cos * x + sin * y, cos * y - sin * x, turn_rate

    def look(self) -> None:
        """Scan with the lidar."""
        x, y, yaw, _ = self._position.tolist()
        self.lidar.scan(self._data, x, y, math.cos(yaw), math.sin(yaw))

    def sees(self, other: Fighter) -> bool:
        """Return True if nothing is between the centres of the two vehicles."""
        x, y, _, _ = self.pose()
        other_x, other_y, _, _ = other.pose()
        self._cast(math.atan2(other_y - y, other_x - x))
        return bool(self._geom[0] == other._hull)

    def update_gun(self, timestep: float) -> bool:
        """Load the gun for a substep of `timestep` seconds; return True if it fires now."""
        # Half a substep of tolerance, since the remaining time is a sum of rounded numbers.
        self.reload = max(0.0, self.reload - timestep)
        return self._fire and self.reload < timestep / 2 and self.health > 0.0

    def fire(self, other: Fighter, deviation: float, time: float) -> bool:
        """Fire a shot.

        Args:
            other: the other vehicle.
            deviation: angle between gun and shot, rad.
            time: simulated time, s.

        Returns:
            True if the other vehicle is hit.
        """
        # The first thing in the direction of the shot.
        x, y, yaw, turret = self._position.tolist()
        heading = yaw + turret + deviation
        distance = self._cast(heading)
        hit = bool(self._geom[0] == other._hull)
        end = (x + distance * math.cos(heading), y + distance * math.sin(heading))
        self.reload = RELOAD_TIME
        self.shot = Shot((x, y), end, hit, time)
        return hit

    def take_hit(self) -> None:
        """Reduce the health by a hit; a destroyed vehicle loses its drive."""
        # Rounded, so that five hits of 0.2 make exactly 0.
        self.health = round(max(0.0, self.health - SHOT_DAMAGE), 6)
        if self.health == 0.0:
            self._control[:] = 0.0

    def _cast(self, heading: float) -> float:
        """Cast a ray in a direction; return its length, m, and set the geom that it hits."""
        self._origin[0], self._origin[1] = self._position[0], self._position[1]
        self._direction[0], self._direction[1] = math.cos(heading), math.sin(heading)
        distance = mujoco.mj_ray(
            self._model, self._data, self._origin, self._direction, _SEEN, True, self._body, self._geom
        )
        return float(distance) if distance >= 0.0 else _RANGE


def _clip(value: float, limit: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, -limit), limit)
