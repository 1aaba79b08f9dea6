"""Layouts of the arena: obstacles, start and goal from a seed, such that the vehicle can get there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.players.arena_geometry import Obstacle

HALF_SIDE: Final = 5.0
"""Half the inner side of the square arena, m."""

TARGET_RADIUS: Final = 0.6
"""Radius of the goal zone, m."""

START_GOAL_DISTANCE: Final = (3.0, 8.0)
"""Least and greatest distance from start to goal, m, unless another greatest one is asked for."""

VEHICLE_CLEARANCE: Final = 0.55
"""Room around a point of a path, m: the vehicle's circumscribed radius of 0.43, plus half a cell of the grid."""

CELL: Final = 0.2
"""Spacing of the occupancy grid, m."""

_ENDS_CLEARANCE: Final = 0.9
_WALL_MARGIN: Final = 0.9
_OBSTACLE_GAP: Final = 0.15
_PLACING_ATTEMPTS: Final = 60


OBSTACLES: Final = (
    *(Obstacle(0.35, 0.35, 0.0, 0.35) for _ in range(2)),
    *(Obstacle(0.60, 0.30, 0.0, 0.30) for _ in range(2)),
    *(Obstacle(0.85, 0.20, 0.0, 0.27) for _ in range(2)),
    *(Obstacle(0.0, 0.0, 0.30, 0.42) for _ in range(2)),
    *(Obstacle(0.0, 0.0, 0.45, 0.32) for _ in range(2)),
)
"""What every layout places: the same shapes each time, so that a reset moves bodies and recompiles nothing."""

_HALF_EXTENTS: Final = np.array([(shape.half_x, shape.half_y) for shape in OBSTACLES])
_RADII: Final = np.array([shape.radius for shape in OBSTACLES])
_REACHES: Final = np.array([shape.reach for shape in OBSTACLES])

_axis = np.arange(-HALF_SIDE + CELL / 2, HALF_SIDE, CELL)
_CELLS: Final = np.stack(np.meshgrid(_axis, _axis, indexing="ij"), axis=-1).reshape(-1, 2)
_COLUMNS: Final = len(_axis)
_CLEAR_OF_WALLS: Final = np.abs(_CELLS).max(axis=1) <= HALF_SIDE - VEHICLE_CLEARANCE


@dataclass(frozen=True)
class Layout:
    """One arena.

    Attributes:
        start: x (m), y (m) and heading (rad) of the vehicle at the start of an episode, shape (3,).
        goal: x and y of the centre of the goal zone, m, shape (2,).
        goal_heading: heading of the goal zone's frame, rad; the vehicle need not take it.
        obstacles: x (m), y (m) and heading (rad) of the first K of OBSTACLES, shape (K, 3).
    """

    start: NDArray[np.float64]
    goal: NDArray[np.float64]
    goal_heading: float
    obstacles: NDArray[np.float64]


def lay_out(seed: int, obstacle_count: int = len(OBSTACLES), goal_distance: float = START_GOAL_DISTANCE[1]) -> Layout:
    """The arena of a seed: always the same one, and always with a path from start to goal.

    Args:
        seed: of what is drawn.
        obstacle_count: how many of OBSTACLES there are, from the first.
        goal_distance: greatest distance from start to goal, m; the least is 3/8 of it.
    """
    rng = np.random.default_rng(seed)
    nearest, farthest = START_GOAL_DISTANCE[0] / START_GOAL_DISTANCE[1] * goal_distance, goal_distance
    while True:
        start, goal = _place_ends(rng, nearest, farthest)
        obstacles = _place_obstacles(rng, np.stack([start, goal]), obstacle_count)
        if obstacles is not None and is_solvable(start, goal, obstacles):
            headings = rng.uniform(-np.pi, np.pi, size=2)
            return Layout(np.append(start, headings[0]), goal, float(headings[1]), obstacles)


def clearance(points: NDArray[np.float64], obstacles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from each of the points, shape (M, 2), to each placed obstacle, shape (K, 3): (M, K), 0 or less inside.

    The obstacles are the first K of OBSTACLES.
    """
    distance: NDArray[np.float64] = np.empty((len(points), len(obstacles)))
    cos, sin = np.cos(obstacles[:, 2]), np.sin(obstacles[:, 2])
    # One obstacle at a time: arrays of all of them at once fall out of the cache, which costs several times as much.
    for index, (x, y, _) in enumerate(obstacles.tolist()):
        right, up = points[:, 0] - x, points[:, 1] - y
        along = np.abs(cos[index] * right + sin[index] * up) - _HALF_EXTENTS[index, 0]
        across = np.abs(cos[index] * up - sin[index] * right) - _HALF_EXTENTS[index, 1]
        distance[:, index] = np.hypot(np.maximum(along, 0.0), np.maximum(across, 0.0)) - _RADII[index]
    return distance


def is_solvable(start: NDArray[np.float64], goal: NDArray[np.float64], obstacles: NDArray[np.float64]) -> bool:
    """Whether a path leads from start to goal, both of shape (2,), that clears walls and obstacles by a vehicle."""
    open_cells = _CLEAR_OF_WALLS & (clearance(_CELLS, obstacles) >= VEHICLE_CLEARANCE).all(axis=1)
    # A set of cells is a whole number with a bit for each, row after row: spreading by a cell is a shift. Cells at the
    # walls are never free, so that nothing spreads over the end of a row.
    free = int.from_bytes(np.packbits(open_cells, bitorder="little").tobytes(), "little")
    reached, end, before = _bit_of(start) & free, _bit_of(goal), 0
    while not reached & end:
        if reached == before:
            return False
        before = reached
        reached |= (reached << 1 | reached >> 1 | reached << _COLUMNS | reached >> _COLUMNS) & free
    return True


def _bit_of(point: NDArray[np.float64]) -> int:
    """The set of the cell that a point is in."""
    row, column = ((point + HALF_SIDE) / CELL).astype(int)
    return 1 << (int(row) * _COLUMNS + int(column))


def _place_ends(
    rng: np.random.Generator, nearest: float, farthest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Start and goal, each of shape (2,), at the right distance from each other and away from the walls."""
    while True:
        start, goal = rng.uniform(-HALF_SIDE + _WALL_MARGIN, HALF_SIDE - _WALL_MARGIN, size=(2, 2))
        if nearest <= np.hypot(*(goal - start)) <= farthest:
            return start, goal


def _place_obstacles(rng: np.random.Generator, ends: NDArray[np.float64], count: int) -> NDArray[np.float64] | None:
    """Poses of obstacles, shape (count, 3), that leave start and goal free and do not overlap; None if out of room."""
    poses = np.empty((count, 3))
    for index, shape in enumerate(OBSTACLES[:count]):
        limit = HALF_SIDE - shape.reach
        tries = rng.uniform((-limit, -limit, -np.pi), (limit, limit, np.pi), size=(_PLACING_ATTEMPTS, 3))
        to_ends = np.linalg.norm(tries[:, None, :2] - ends, axis=2).min(axis=1)
        fits = to_ends >= shape.reach + _ENDS_CLEARANCE
        if index:
            to_others = np.linalg.norm(tries[:, None, :2] - poses[:index, :2], axis=2) - _REACHES[:index]
            fits &= to_others.min(axis=1) >= shape.reach + _OBSTACLE_GAP
        if not fits.any():
            return None
        poses[index] = tries[fits.argmax()]
    return poses
