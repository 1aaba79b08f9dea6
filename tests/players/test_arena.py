import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_pipeline.players.navigation.arena import (
    HALF_SIDE,
    OBSTACLES,
    START_GOAL_DISTANCE,
    TARGET_RADIUS,
    clearance,
    is_solvable,
    lay_out,
)
from rl_pipeline.players.tracked_vehicle import HALF_LENGTH, HALF_WIDTH

seeds = st.integers(0, 2**32 - 1)
VEHICLE_RADIUS = float(np.hypot(HALF_LENGTH, HALF_WIDTH))


@given(seeds)
@settings(max_examples=60)
def test_every_arena_leaves_room_at_start_and_goal_and_a_path_between(seed: int) -> None:
    layout = lay_out(seed)
    ends = np.stack([layout.start[:2], layout.goal])
    assert clearance(ends, layout.obstacles).min() > max(VEHICLE_RADIUS, TARGET_RADIUS)
    assert np.abs(ends).max() < HALF_SIDE - VEHICLE_RADIUS
    assert START_GOAL_DISTANCE[0] <= np.hypot(*(ends[1] - ends[0])) <= START_GOAL_DISTANCE[1]
    assert is_solvable(ends[0], ends[1], layout.obstacles)


@given(seeds)
@settings(max_examples=20)
def test_obstacles_are_inside_the_arena_and_apart(seed: int) -> None:
    poses = lay_out(seed).obstacles
    reaches = np.array([shape.reach for shape in OBSTACLES])
    assert (np.abs(poses[:, :2]).max(axis=1) + reaches <= HALF_SIDE).all()
    gaps = np.linalg.norm(poses[:, None, :2] - poses[:, :2], axis=2) - reaches[:, None] - reaches
    assert gaps[~np.eye(len(poses), dtype=bool)].min() > 0.0


@given(seeds)
@settings(max_examples=20)
def test_the_same_seed_gives_the_same_arena(seed: int) -> None:
    one, other = lay_out(seed), lay_out(seed)
    assert one.start.tobytes() == other.start.tobytes()
    assert one.goal.tobytes() == other.goal.tobytes()
    assert one.obstacles.tobytes() == other.obstacles.tobytes()


def test_different_seeds_give_different_arenas() -> None:
    assert len({lay_out(seed).start.tobytes() for seed in range(50)}) == 50


def test_a_row_of_obstacles_from_wall_to_wall_is_not_solvable() -> None:
    row = np.column_stack([np.zeros(len(OBSTACLES)), np.linspace(-4.5, 4.5, len(OBSTACLES)), np.zeros(len(OBSTACLES))])
    start, goal = np.array((-3.0, 0.0)), np.array((3.0, 0.0))
    assert not is_solvable(start, goal, row)
    row[0] = (3.0, 4.0, 0.0)
    assert is_solvable(start, goal, row[:1])


@pytest.mark.parametrize(("point", "expected"), [((1.35, 0.0), 1.0), ((0.0, -0.85), 0.5), ((0.65, 0.75), 0.5)])
def test_clearance_is_the_distance_to_the_nearest_side_or_corner(point: tuple[float, float], expected: float) -> None:
    box_at_origin = np.zeros((1, 3))
    assert clearance(np.array([point]), box_at_origin)[0, 0] == pytest.approx(expected)
