"""Layouts of the duel's arena: the same for both sides, turned by half a circle."""

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
"""What blue's half can be given to hide behind; red's has the same."""

_START_MARGIN: Final = 1.0
_LEAST_START: Final = 2.0
"""Least distance of a start from the centre, m; the vehicles are twice as far from each other."""

_PASSAGE: Final = 1.1
"""Room between obstacles and from them to starts and the centre, m: a vehicle gets through everywhere."""

_ATTEMPTS: Final = 40


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
    """A random arena with so many of COVER on each side."""
    limit = HALF_SIDE - _START_MARGIN
    while True:
        start = rng.uniform((-limit, -limit, -np.pi), (-0.5, limit, np.pi))
        if np.hypot(start[0], start[1]) < _LEAST_START:
            continue
        if (cover := _place_cover(rng, start[:2], pairs)) is not None:
            return Layout(start, cover)


def opposite(pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """A pose (x, y, heading), shape (3,), turned by half a circle about the centre."""
    turned: NDArray[np.float64] = np.array((-pose[0], -pose[1], pose[2] + np.pi))
    return turned


def _place_cover(rng: np.random.Generator, start: NDArray[np.float64], pairs: int) -> NDArray[np.float64] | None:
    """Poses of the first of COVER, shape (pairs, 3), that leave passages free; None if out of room."""
    poses = np.empty((pairs, 3))
    taken = [(start, 0.0), (-start, 0.0)]
    for index, shape in enumerate(COVER[:pairs]):
        limit = HALF_SIDE - shape.reach - _PASSAGE
        for pose in rng.uniform((-limit, -limit, -np.pi), (limit, limit, np.pi), size=(_ATTEMPTS, 3)):
            here = pose[:2]
            others = [*taken, (-here, shape.reach)]
            if all(np.hypot(*(here - there)) >= shape.reach + reach + _PASSAGE for there, reach in others):
                break
        else:
            return None
        poses[index] = pose
        taken += [(here, shape.reach), (-here, shape.reach)]
    return poses
