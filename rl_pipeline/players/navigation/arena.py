"""Layouts of the navigation arena: obstacles, start and goal from a seed, with a path from start to goal."""

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
"""Least and greatest distance from start to goal, m; a parameter of an episode may set another greatest one."""

VEHICLE_CLEARANCE: Final = 0.55
"""Free radius around a point of a path, m: the vehicle's circumscribed radius of 0.43 and half a cell, rounded up."""

CELL: Final = 0.2
"""Spacing of the occupancy grid, m."""

_ENDS_CLEARANCE: Final = 0.9
"""Least distance from start and goal to an obstacle's circumscribed circle, m."""
_WALL_MARGIN: Final = 0.9
"""Least distance from start and goal to a wall, m."""
_OBSTACLE_GAP: Final = 0.15
"""Least distance between the circumscribed circles of obstacles, m."""
_PLACING_ATTEMPTS: Final = 60
"""Random poses tried for an obstacle before the layout is drawn again."""


OBSTACLES: Final = (
    *(Obstacle(0.35, 0.35, 0.0, 0.35) for _ in range(2)),
    *(Obstacle(0.60, 0.30, 0.0, 0.30) for _ in range(2)),
    *(Obstacle(0.85, 0.20, 0.0, 0.27) for _ in range(2)),
    *(Obstacle(0.0, 0.0, 0.30, 0.42) for _ in range(2)),
    *(Obstacle(0.0, 0.0, 0.45, 0.32) for _ in range(2)),
)
"""Shapes of the obstacles, the same in every layout: a reset moves bodies, and the model is compiled once."""

_HALF_EXTENTS: Final = np.array([(shape.half_x, shape.half_y) for shape in OBSTACLES])
_RADII: Final = np.array([shape.radius for shape in OBSTACLES])
_REACHES: Final = np.array([shape.reach for shape in OBSTACLES])

# The occupancy grid: centres of its cells, row after row, shape (cells, 2).
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
    """Draw the arena of a seed. It is the same for the same arguments, and always has a path from start to goal.

    Args:
        seed: seed of all random numbers.
        obstacle_count: number of obstacles, the first ones of OBSTACLES.
        goal_distance: greatest distance from start to goal, m; the least is 3/8 of it.
    """
    rng = np.random.default_rng(seed)
    nearest = START_GOAL_DISTANCE[0] / START_GOAL_DISTANCE[1] * goal_distance
    farthest = goal_distance
    # Draw whole layouts until one has a path.
    while True:
        start, goal = _place_ends(rng, nearest, farthest)
        obstacles = _place_obstacles(rng, np.stack([start, goal]), obstacle_count)
        if obstacles is not None and is_solvable(start, goal, obstacles):
            headings = rng.uniform(-np.pi, np.pi, size=2)
            return Layout(np.append(start, headings[0]), goal, float(headings[1]), obstacles)


def clearance(points: NDArray[np.float64], obstacles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute distances from points to obstacles.

    Args:
        points: x and y, m, shape (M, 2).
        obstacles: x (m), y (m) and heading (rad) of the first K of OBSTACLES, shape (K, 3).

    Returns:
        Distances, m, shape (M, K); 0 or less inside an obstacle.
    """
    distance: NDArray[np.float64] = np.empty((len(points), len(obstacles)))
    cos, sin = np.cos(obstacles[:, 2]), np.sin(obstacles[:, 2])
    # One obstacle at a time: arrays for all of them do not fit the cache, which takes several times as long.
    for index, (x, y, _) in enumerate(obstacles.tolist()):
        right, up = points[:, 0] - x, points[:, 1] - y
        along = np.abs(cos[index] * right + sin[index] * up) - _HALF_EXTENTS[index, 0]
        across = np.abs(cos[index] * up - sin[index] * right) - _HALF_EXTENTS[index, 1]
        distance[:, index] = np.hypot(np.maximum(along, 0.0), np.maximum(across, 0.0)) - _RADII[index]
    return distance


def is_solvable(start: NDArray[np.float64], goal: NDArray[np.float64], obstacles: NDArray[np.float64]) -> bool:
    """Return True if a path leads from start to goal, both of shape (2,), with room for the vehicle everywhere.

    This is a flood fill over the occupancy grid, with obstacles and walls inflated by VEHICLE_CLEARANCE.
    """
    open_cells = _CLEAR_OF_WALLS & (clearance(_CELLS, obstacles) >= VEHICLE_CLEARANCE).all(axis=1)
    # A set of cells is an integer with a bit for each cell, row after row: moving all of them by a cell is a shift.
    # Cells at the walls are never free, so that nothing moves from the end of a row to the start of the next.
    free = int.from_bytes(np.packbits(open_cells, bitorder="little").tobytes(), "little")
    reached, end, before = _bit_of(start) & free, _bit_of(goal), 0
    # Grow the reached set by one cell in four directions, until it has the goal or stops growing.
    while not reached & end:
        if reached == before:
            return False
        before = reached
        reached |= (reached << 1 | reached >> 1 | reached << _COLUMNS | reached >> _COLUMNS) & free
    return True


def _bit_of(point: NDArray[np.float64]) -> int:
    """Return the set with the cell of a point."""
    row, column = ((point + HALF_SIDE) / CELL).astype(int)
    return 1 << (int(row) * _COLUMNS + int(column))


def _place_ends(
    rng: np.random.Generator, nearest: float, farthest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw start and goal, each of shape (2,), until their distance is within bounds."""
    while True:
        start, goal = rng.uniform(-HALF_SIDE + _WALL_MARGIN, HALF_SIDE - _WALL_MARGIN, size=(2, 2))
        if nearest <= np.hypot(*(goal - start)) <= farthest:
            return start, goal


def _place_obstacles(rng: np.random.Generator, ends: NDArray[np.float64], count: int) -> NDArray[np.float64] | None:
    """Draw poses of obstacles that leave start and goal free and do not overlap.

    Returns:
        x (m), y (m) and heading (rad) of each, shape (count, 3); None if an obstacle finds no room.
    """
    poses = np.empty((count, 3))
    for index, shape in enumerate(OBSTACLES[:count]):
        # Draw all attempts at once, and take the first that fits: within the walls, away from the ends and the others.
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
