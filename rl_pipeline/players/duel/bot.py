"""The scripted opponent: one number says how well it fights."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from rl_pipeline.players import tracked_vehicle as vehicle
from rl_pipeline.players.duel.fighter import NUM_RAYS, Fighter, Orders
from rl_pipeline.players.duel.model import MAX_TURRET_RATE

WORST_AIM: Final = 0.45
"""Standard deviation of its error of aim at strength 0, rad; none is left at strength 1."""

_AIM_MEMORY: Final = 0.6
"""How long an error of aim lasts, s."""

_ON_TARGET: Final = 0.06
"""Error of the turret (rad) below which it fires, as far as it knows."""

_NEAR, _FAR = 2.5, 4.5
"""The distance that it keeps, m."""

_CLEARANCE: Final = 0.9
"""What it turns away from, m."""

_CIRCLING_TIME: Final = 2.0
"""Mean time between changes of direction while it circles, s."""

_AHEAD: Final = (-1, 0, 1)
"""Rays that look where it drives."""


class Bot:
    """Drives towards its opponent, circles it at a few metres, keeps the gun on it and fires.

    Args:
        strength: from 0 to 1: of its speed, the rate of its turret and its aim.
        rng: what it draws from.
        period: time between decisions, s.
    """

    def __init__(self, strength: float, rng: np.random.Generator, period: float) -> None:
        self._strength, self._rng, self._period = strength, rng, period
        self._aim_error = self._spread = (1.0 - strength) * WORST_AIM
        self._side = 1.0 if rng.random() < 0.5 else -1.0

    def decide(self, own: Fighter, foe: Fighter, in_sight: bool) -> Orders:
        """What it does for the next period; its lidar has scanned."""
        x, y, yaw, turret = own.pose()
        foe_x, foe_y, _, _ = foe.pose()
        bearing, distance = math.atan2(foe_y - y, foe_x - x), math.hypot(foe_x - x, foe_y - y)
        self._drift()
        error = _wrapped(bearing + self._aim_error - yaw - turret)
        rate = MAX_TURRET_RATE * (0.3 + 0.7 * self._strength)
        speed, turn_rate = self._drive(own, bearing - yaw, distance, in_sight)
        turret_rate = min(max(error / self._period - turn_rate, -rate), rate)
        return Orders(speed, turn_rate, turret_rate, in_sight and abs(error) < _ON_TARGET)

    def _drift(self) -> None:
        """Let the error of aim wander, as a hand does (an Ornstein-Uhlenbeck process)."""
        keep = math.exp(-self._period / _AIM_MEMORY)
        noise = self._spread * math.sqrt(1.0 - keep * keep)
        self._aim_error = keep * self._aim_error + noise * self._rng.standard_normal()
        if self._rng.random() < self._period / _CIRCLING_TIME:
            self._side = -self._side

    def _drive(self, own: Fighter, bearing: float, distance: float, in_sight: bool) -> tuple[float, float]:
        """Speed (m/s) and turn rate (rad/s) for an opponent in that direction from the hull (rad), so far away (m)."""
        if in_sight and distance < _FAR:
            bearing += self._side * (math.pi / 2 if distance > _NEAR else 0.8 * math.pi)
        ranges = own.lidar.ranges
        if min(float(ranges[ray]) for ray in _AHEAD) < _CLEARANCE:
            left, right = ranges[1 : NUM_RAYS // 2].mean(), ranges[NUM_RAYS // 2 + 1 :].mean()
            turn = 1.0 if left > right else -1.0
            speed = 0.25
        else:
            turn = min(max(1.5 * _wrapped(bearing), -1.0), 1.0)
            speed = 1.0 - 0.6 * abs(turn)
        return self._strength * speed * vehicle.MAX_SPEED, self._strength * turn * vehicle.MAX_TURN_RATE


def _wrapped(angle: float) -> float:
    """The same angle from -pi to pi."""
    return math.remainder(angle, 2 * math.pi)
