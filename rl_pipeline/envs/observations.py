"""Observations of N environments: an array, or a dictionary of arrays for a Dict space, each of leading axis N."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

Observations: TypeAlias = "NDArray[Any] | dict[str, NDArray[Any]]"
"""Arrays of leading axis N: one of shape (N, *observation shape), or one for each key of a Dict space."""

ARRAY_SPACES: Final = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
"""Kinds of spaces whose elements are arrays: of observations and of the parts of a Dict of them, and of actions."""

Value = TypeVar("Value")


def arrays_of(observations: Observations) -> tuple[NDArray[Any], ...]:
    """Return the arrays of observations."""
    return tuple(observations.values()) if isinstance(observations, dict) else (observations,)


def apply(function: Callable[[NDArray[Any]], Value], observations: Any) -> Any:
    """Apply a function to the array of observations, or to the array of each key."""
    if isinstance(observations, dict):
        return {key: function(array) for key, array in observations.items()}
    return function(observations)


def take_rows(observations: Any, rows: Any) -> Any:
    """Index the leading axis: the observation of one environment, or the observations of several."""
    if isinstance(observations, dict):
        return {key: array[rows] for key, array in observations.items()}
    return observations[rows]


def concatenate(parts: Sequence[Any]) -> Any:
    """Join observations of several groups of environments along the leading axis."""
    if isinstance(parts[0], dict):
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return np.concatenate(parts)
