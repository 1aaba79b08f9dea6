"""Scripted opponent of the duel, with a strength from 0 to 1."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from rl_pipeline.players import tracked_vehicle as vehicle
from rl_pipeline.players.duel.fighter import NUM_RAYS, Fighter, Orders
from rl_pipeline.players.duel.model import MAX_TURRET_RATE

MAX_AIM_ERROR: Final = 0.45
"""Standard deviation of the error of aim at strength 0, rad; it falls linearly to 0 at strength 1."""

_AIM_MEMORY: Final = 0.6
"""Correlation time of the error of aim, s."""

_ON_TARGET: Final = 0.06
"""Error of the turret below which the bot fires, rad; its own error of aim is unknown to it."""

_NEAR: Final = 2.5
_FAR: Final = 4.5
"""Bounds of the distance that it keeps from its opponent, m."""

_CLEARANCE: Final = 0.9
"""Distance to an obstacle ahead at which it turns away, m."""

_CIRCLING_TIME: Final = 2.0
"""Mean time between changes of direction while it circles, s."""

_AHEAD: Final = (-1, 0, 1)
"""Rays of the lidar that face its direction of travel."""


class Bot:
    """Driver that approaches its opponent, circles it at a few metres, keeps the gun on it and fires.

    Args:
        strength: from 0 to 1; scales its speed, the rate of its turret and its aim.
        rng: source of random numbers.
        period: time between decisions, s.
    """

    def __init__(self, strength: float, rng: np.random.Generator, period: float) -> None:
        self._strength = strength
        self._rng = rng
        self._period = period
        self._aim_error = self._spread = (1.0 - strength) * MAX_AIM_ERROR
        self._side = 1.0 if rng.random() < 0.5 else -1.0

    def decide(self, own: Fighter, foe: Fighter, in_sight: bool) -> Orders:
        """Choose the orders of the next period.

        Args:
            own: the vehicle of the bot; its lidar has scanned.
            foe: the vehicle of the opponent.
            in_sight: True if nothing is between the two.
        """
        # Direction and distance of the opponent.
        x, y, yaw, turret = own.pose()
        foe_x, foe_y, _, _ = foe.pose()
        bearing, distance = math.atan2(foe_y - y, foe_x - x), math.hypot(foe_x - x, foe_y - y)
        # Turret: close the error of aim within a period, against the turn of the hull.
        self._update_aim()
        error = _wrap(bearing + self._aim_error - yaw - turret)
        rate = MAX_TURRET_RATE * (0.3 + 0.7 * self._strength)
        speed, turn_rate = self._drive(own, bearing - yaw, distance, in_sight)
        turret_rate = min(max(error / self._period - turn_rate, -rate), rate)
        return Orders(speed, turn_rate, turret_rate, in_sight and abs(error) < _ON_TARGET)

    def _update_aim(self) -> None:
        """Advance the error of aim, an Ornstein-Uhlenbeck process with a constant standard deviation."""
        keep = math.exp(-self._period / _AIM_MEMORY)
        noise = self._spread * math.sqrt(1.0 - keep * keep)
        self._aim_error = keep * self._aim_error + noise * self._rng.standard_normal()
        # Change the direction of circling now and then.
        if self._rng.random() < self._period / _CIRCLING_TIME:
            self._side = -self._side

    def _drive(self, own: Fighter, bearing: float, distance: float, in_sight: bool) -> tuple[float, float]:
        """Choose speed (m/s) and turn rate (rad/s).

        Args:
            own: the vehicle of the bot.
            bearing: direction of the opponent relative to the hull, rad.
            distance: distance of the opponent, m.
            in_sight: True if nothing is between the two.
        """
        # In sight and near enough: circle, and move away if too near.
        if in_sight and distance < _FAR:
            bearing += self._side * (math.pi / 2 if distance > _NEAR else 0.8 * math.pi)
        # An obstacle ahead: turn to the side with more room, slowly. Else head for the bearing, slower in turns.
        ranges = own.lidar.ranges
        if min(float(ranges[ray]) for ray in _AHEAD) < _CLEARANCE:
            left, right = ranges[1 : NUM_RAYS // 2].mean(), ranges[NUM_RAYS // 2 + 1 :].mean()
            turn = 1.0 if left > right else -1.0
            speed = 0.25
        else:
            turn = min(max(1.5 * _wrap(bearing), -1.0), 1.0)
            speed = 1.0 - 0.6 * abs(turn)
        return self._strength * speed * vehicle.MAX_SPEED, self._strength * turn * vehicle.MAX_TURN_RATE


def _wrap(angle: float) -> float:
    """Return the same angle between -pi and pi."""
    return math.remainder(angle, 2 * math.pi)
