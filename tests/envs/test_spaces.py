from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from rl_pipeline.envs.spaces import describe_space, small_image, space_problem
from tests.support.odd_environments import CAMERA, TORQUES, VECTOR


@pytest.mark.parametrize(
    "observation",
    [
        VECTOR,
        CAMERA,
        spaces.Discrete(3),
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiBinary([2, 2]),
        spaces.Dict({"camera": CAMERA, "state": VECTOR, "gear": spaces.Discrete(4)}),
    ],
    ids=lambda space: type(space).__name__,
)
def test_spaces_that_algorithms_take(observation: spaces.Space[Any]) -> None:
    assert space_problem(observation, TORQUES) is None
    assert space_problem(observation, spaces.MultiDiscrete([2, 2])) is None


@pytest.mark.parametrize(
    ("observation", "problem"),
    [
        (spaces.Discrete(4, start=1), "observation space: expected values that start at 0, found Discrete(4, start=1)"),
        (spaces.MultiDiscrete([2, 2], start=[0, 1]), "observation space: expected values that start at 0"),
        (spaces.MultiDiscrete(np.array([[2], [2]])), "observation space: expected a MultiDiscrete of one axis"),
        (spaces.Box(-1, 1, (0,)), "observation space: expected at least one component, found Box"),
        (spaces.Box(-1, 1, ()), "observation space: expected a Box of at least one axis"),
        (spaces.Tuple([VECTOR, VECTOR]), "observation space: expected Box, Discrete, MultiDiscrete, MultiBinary"),
        (spaces.Dict({"joint.pos": VECTOR}), "observation 'joint.pos': PyTorch takes no module of this name"),
        (spaces.Dict({"type": VECTOR}), "observation 'type': PyTorch takes no module of this name"),
        (spaces.Dict({"arm": spaces.Dict({"left": VECTOR})}), "observation 'arm': expected Box, Discrete"),
        (spaces.Dict({"gear": spaces.Discrete(4, start=1)}), "observation 'gear': expected values that start at 0"),
        (spaces.Dict({}), "observation space: expected some observations"),
    ],
)
def test_the_first_problem_of_observations(observation: spaces.Space[Any], problem: str) -> None:
    found = space_problem(observation, TORQUES)
    assert found is not None
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        (spaces.MultiDiscrete(np.array([[2], [2]])), "action space: expected a MultiDiscrete of one axis"),
        (spaces.Discrete(3, start=-1), "action space: expected values that start at 0"),
        (spaces.MultiBinary([2, 2]), "action space: expected a MultiBinary of one axis"),
        (spaces.Box(-1, 1, (0,)), "action space: expected at least one component"),
        (spaces.Box(-np.inf, np.inf, (2,)), "action space: expected finite bounds"),
    ],
)
def test_the_problem_of_actions(action: spaces.Space[Any], problem: str) -> None:
    found = space_problem(VECTOR, action)
    assert found is not None
    assert found.startswith(problem)


def test_images_too_small_for_the_cnn_are_known_in_either_order_of_axes() -> None:
    assert small_image(spaces.Box(0, 255, (7, 9, 3), np.uint8)) == (7, 9, 3)
    assert small_image(spaces.Dict({"camera": spaces.Box(0, 255, (3, 35, 64), np.uint8)})) == (3, 35, 64)
    assert small_image(spaces.Box(0, 255, (36, 36, 4), np.uint8)) is None
    assert small_image(VECTOR) is None


def test_a_space_is_described_in_one_line() -> None:
    low = np.linspace(-3, -1, 100, dtype=np.float32)
    assert describe_space(spaces.Box(low, low + 1)) == "Box((100,), float32)"
    assert describe_space(spaces.MultiDiscrete(np.array([[2], [2]]))).count("\n") == 0
