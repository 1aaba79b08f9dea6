"""Layouts of the duel's arena: the half of red is that of blue, turned by 180 degrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.players.arena_geometry import Obstacle

HALF_SIDE: Final = 5.0
"""Half the inner side of the square arena, m."""

COVER: Final = (
    Obstacle(0.0, 0.0, 0.45, 0.42),
    Obstacle(0.60, 0.30, 0.0, 0.40),
    Obstacle(0.0, 0.0, 0.30, 0.42),
    Obstacle(0.35, 0.35, 0.0, 0.45),
)
"""Obstacles of blue's half to hide behind; red's half has the same."""

_START_MARGIN: Final = 1.0
"""Least distance of a start from the walls, m."""
_MIN_START_DISTANCE: Final = 2.0
"""Least distance of a start from the centre, m; the vehicles are twice as far from each other."""

_PASSAGE: Final = 1.1
"""Least gap between obstacles, and from them to starts and walls, m: a vehicle of 0.86 m fits through."""

_PLACING_ATTEMPTS: Final = 40
"""Random poses tried for an obstacle before the arena is drawn again."""


@dataclass(frozen=True)
class Layout:
    """One arena.

    Attributes:
        start: x (m), y (m) and heading (rad) of blue at the start, shape (3,). Red's is the same, turned by pi.
        cover: x (m), y (m) and heading (rad) of the first K of COVER, shape (K, 3), and turned by pi once more.
    """

    start: NDArray[np.float64]
    cover: NDArray[np.float64]


def lay_out(rng: np.random.Generator, pairs: int) -> Layout:
    """Draw a random arena.

    Args:
        rng: source of random numbers.
        pairs: number of obstacles on each side, the first ones of COVER.
    """
    # Blue starts in the half x < 0, not too near the centre.
    limit = HALF_SIDE - _START_MARGIN
    while True:
        start = rng.uniform((-limit, -limit, -np.pi), (-0.5, limit, np.pi))
        if np.hypot(start[0], start[1]) < _MIN_START_DISTANCE:
            continue
        if (cover := _place_cover(rng, start[:2], pairs)) is not None:
            return Layout(start, cover)


def opposite(pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a pose (x, y, heading), shape (3,), turned by 180 degrees about the centre."""
    turned: NDArray[np.float64] = np.array((-pose[0], -pose[1], pose[2] + np.pi))
    return turned


def _place_cover(rng: np.random.Generator, start: NDArray[np.float64], pairs: int) -> NDArray[np.float64] | None:
    """Draw poses of the first obstacles of COVER, shape (pairs, 3); None if one finds no room."""
    poses = np.empty((pairs, 3))
    taken = [(start, 0.0), (-start, 0.0)]
    for index, shape in enumerate(COVER[:pairs]):
        limit = HALF_SIDE - shape.reach - _PASSAGE
        for pose in rng.uniform((-limit, -limit, -np.pi), (limit, limit, np.pi), size=(_PLACING_ATTEMPTS, 3)):
            here = pose[:2]
            # Its own counterpart on the other side counts too.
            others = [*taken, (-here, shape.reach)]
            if all(np.hypot(*(here - there)) >= shape.reach + reach + _PASSAGE for there, reach in others):
                break
        else:
            return None
        poses[index] = pose
        taken += [(here, shape.reach), (-here, shape.reach)]
    return poses
