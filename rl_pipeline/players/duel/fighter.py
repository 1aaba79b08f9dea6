"""One vehicle of the duel: what it is told, how it stands, and its gun."""

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
RELOAD_TIME: Final = 1.0
"""Least time between two shots, s."""

SHOT_DAMAGE: Final = 0.2
"""Health that a hit costs."""

MUZZLE_HEIGHT: Final = 0.275

_SEEN: Final = np.array((1, 0, 0, 1, 0, 0), np.uint8)
"""What shots hit and lidars see: what stands around, and hulls."""

_RANGE: Final = 20.0
"""Farther than anything in the arena, m."""


@dataclass(frozen=True)
class Shot:
    """A shot on its way: from and to where, x and y in m, whether the other vehicle was hit, and when, in s."""

    start: tuple[float, float]
    end: tuple[float, float]
    hit: bool
    time: float


@dataclass
class Orders:
    """What a vehicle is told: speed (m/s), turn rate and turret rate (rad/s), and whether to fire."""

    speed: float = 0.0
    turn_rate: float = 0.0
    turret_rate: float = 0.0
    fire: bool = False


class Fighter:
    """A vehicle of one side.

    Args:
        model: the compiled scene.
        data: its state.
        side: `blue` or `red`.
        index: of the side, 0 or 1.

    Attributes:
        health: 1 unharmed to 0 destroyed; a destroyed vehicle stands still and does not fire.
        reload: s until the gun is loaded.
        shot: the last one; None: none since the reset.
        lidar: of the vehicle, as of the last `look`.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, side: str, index: int) -> None:
        self._model, self._data = model, data
        self._position, self._velocity = data.qpos[4 * index : 4 * index + 4], data.qvel[4 * index : 4 * index + 4]
        self._control = data.ctrl[4 * index : 4 * index + 4]
        self._body, self._hull = model.body(f"{side}_vehicle").id, model.geom(f"{side}_hull").id
        self.lidar = Lidar(model, vehicle.LIDAR_HEIGHT, f"{side}_vehicle", NUM_RAYS, _SEEN)
        self._origin, self._direction = np.array((0.0, 0.0, vehicle.LIDAR_HEIGHT)), np.zeros(3)
        self._geom = np.zeros(1, np.int32)
        self.reset((0.0, 0.0, 0.0), 1.0)

    def reset(self, pose: tuple[float, float, float], speed_scale: float) -> None:
        """Stand unharmed and loaded at x, y (m) and a heading (rad), with the speeds scaled by so much."""
        self._position[:] = (*pose, 0.0)
        self._scale = speed_scale
        self._fire = False
        self.health, self.reload = 1.0, 0.0
        self.shot: Shot | None = None

    def obey(self, orders: Orders) -> None:
        """Hold these orders, clipped to what the vehicle can do; NaN counts as 0."""
        if self.health == 0.0:
            return
        self._control[0] = self._scale * _clip(orders.speed, vehicle.MAX_SPEED)
        self._control[2] = self._scale * _clip(orders.turn_rate, vehicle.MAX_TURN_RATE)
        self._control[3] = self._scale * _clip(orders.turret_rate, MAX_TURRET_RATE)
        self._fire = orders.fire

    def pose(self) -> tuple[float, float, float, float]:
        """Position x and y (m), heading of the hull, and of the turret in the frame of the hull (rad)."""
        x, y, yaw, turret = self._position.tolist()
        return x, y, yaw, turret

    def twist(self) -> tuple[float, float, float]:
        """Velocity forward and to the left (m/s) and turn rate (rad/s) of the hull, in its own frame."""
        x, y, turn_rate, _ = self._velocity.tolist()
        yaw = float(self._position[2])
        cos, sin = math.cos(yaw), math.sin(yaw)
        return cos * x + sin * y, cos * y - sin * x, turn_rate

    def look(self) -> None:
        """Have the lidar scan."""
        x, y, yaw, _ = self._position.tolist()
        self.lidar.scan(self._data, x, y, math.cos(yaw), math.sin(yaw))

    def sees(self, other: Fighter) -> bool:
        """Whether there is nothing but air between the centres of the two."""
        x, y, _, _ = self.pose()
        other_x, other_y, _, _ = other.pose()
        self._cast(math.atan2(other_y - y, other_x - x))
        return bool(self._geom[0] == other._hull)

    def go_on(self, timestep: float) -> bool:
        """Load for a substep, s; whether it fires now."""
        self.reload = max(0.0, self.reload - timestep)
        return self._fire and self.reload < timestep / 2 and self.health > 0.0

    def fire(self, other: Fighter, deviation: float, time: float) -> bool:
        """Fire a shot that goes `deviation` rad from where the gun points; whether the other is hit."""
        x, y, yaw, turret = self._position.tolist()
        heading = yaw + turret + deviation
        distance = self._cast(heading)
        hit = bool(self._geom[0] == other._hull)
        end = (x + distance * math.cos(heading), y + distance * math.sin(heading))
        self.reload, self.shot = RELOAD_TIME, Shot((x, y), end, hit, time)
        return hit

    def take_hit(self) -> None:
        """Lose the health that a hit costs."""
        self.health = round(max(0.0, self.health - SHOT_DAMAGE), 6)
        if self.health == 0.0:
            self._control[:] = 0.0

    def _cast(self, heading: float) -> float:
        """Distance (m) to what lies in a direction; sets the geom that it is."""
        self._origin[0], self._origin[1] = self._position[0], self._position[1]
        self._direction[0], self._direction[1] = math.cos(heading), math.sin(heading)
        distance = mujoco.mj_ray(
            self._model, self._data, self._origin, self._direction, _SEEN, True, self._body, self._geom
        )
        return float(distance) if distance >= 0.0 else _RANGE


def _clip(value: float, limit: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, -limit), limit)
