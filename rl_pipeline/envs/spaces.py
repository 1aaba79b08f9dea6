"""Observation and action spaces that Stable-Baselines3's algorithms take, as far as an environment alone decides it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space

ARRAY_SPACES: Final = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
"""Kinds of spaces whose elements are arrays: of observations and of the parts of a Dict of them, and of actions."""
ARRAY_SPACE_NAMES: Final = ", ".join(kind.__name__ for kind in ARRAY_SPACES)

MAX_TEXT: Final = 200
"""Characters up to which a space is printed in full."""
MIN_IMAGE_SIDE: Final = 36
"""Pixels of a side that the three convolutions of `NatureCNN` need."""


def describe_space(space: spaces.Space[Any]) -> str:
    """Describe a space in one line, without the bounds of each component of a long Box."""
    text = " ".join(repr(space).split())
    if isinstance(space, spaces.Box) and len(repr(space)) > MAX_TEXT:
        return f"Box({space.shape}, {space.dtype})"
    return text


def small_image(space: spaces.Space[Any]) -> tuple[int, ...] | None:
    """Return the shape of an image that is too small for Stable-Baselines3's own CNN; None: there is none."""
    parts = space.spaces.values() if isinstance(space, spaces.Dict) else [space]
    shapes = [part.shape for part in parts if part.shape is not None and is_image_space(part)]
    return next((shape for shape in shapes if sorted(shape)[1] < MIN_IMAGE_SIDE), None)


def space_problem(observation: spaces.Space[Any], action: spaces.Space[Any]) -> str | None:
    """Return the first reason why no algorithm can use these spaces; None: there is none."""
    if isinstance(observation, spaces.Dict):
        problem = _dictionary_problem(observation.spaces)
    else:
        problem = _observation_problem("observation space", observation)
    return problem or _action_problem("action space", action)


def _dictionary_problem(parts: Mapping[str, spaces.Space[Any]]) -> str | None:
    if not parts:
        return "observation space: expected some observations, found an empty dictionary"
    for key, part in parts.items():
        if problem := _key_problem(key) or _observation_problem(f"observation {key!r}", part):
            return problem
    return None


def _key_problem(key: str) -> str | None:
    """Try a key as the name of a PyTorch module, which admits no dot and no name of an attribute of its own."""
    try:
        torch.nn.ModuleDict({key: torch.nn.Identity()})
    except (KeyError, TypeError):
        return f"observation {key!r}: PyTorch takes no module of this name; rename it, without dots"
    return None


def _observation_problem(name: str, space: spaces.Space[Any]) -> str | None:
    if not isinstance(space, ARRAY_SPACES):
        return f"{name}: expected {ARRAY_SPACE_NAMES} or a Dict of them, found {describe_space(space)}"
    if isinstance(space, spaces.Box) and not space.shape:
        return f"{name}: expected a Box of at least one axis, such as shape (1,), found {describe_space(space)}"
    return _size_problem(name, space) or _discrete_problem(name, space)


def _action_problem(name: str, space: spaces.Space[Any]) -> str | None:
    if isinstance(space, spaces.MultiBinary) and len(space.shape) != 1:
        return f"{name}: expected a MultiBinary of one axis, found {describe_space(space)}"
    if isinstance(space, spaces.Box) and not space.is_bounded():
        return f"{name}: expected finite bounds, found {describe_space(space)}"
    return _size_problem(name, space) or _discrete_problem(name, space)


def _size_problem(name: str, space: spaces.Space[Any]) -> str | None:
    if space.shape is not None and 0 in space.shape:
        return f"{name}: expected at least one component, found {describe_space(space)}"
    return None


def _discrete_problem(name: str, space: spaces.Space[Any]) -> str | None:
    if isinstance(space, spaces.MultiDiscrete) and len(space.shape) != 1:
        return f"{name}: expected a MultiDiscrete of one axis, found {describe_space(space)}"
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete) and np.any(space.start != 0):
        return f"{name}: expected values that start at 0, found {describe_space(space)}"
    return None
