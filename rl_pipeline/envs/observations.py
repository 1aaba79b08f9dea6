"""Arrays of N environments: observations, and the result of one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

Observations: TypeAlias = "NDArray[Any] | dict[str, NDArray[Any]]"
"""Arrays of leading axis N: one of shape (N, *observation shape), or one for each key of a Dict space."""

Shape: TypeAlias = "tuple[int, ...] | dict[str, tuple[int, ...] | None] | None"
"""Shape of an array observation, or the shapes of a Dict observation by key."""

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


def space_shape(space: spaces.Space[Any]) -> Shape:
    """Return the shape of one observation of a space."""
    return {key: part.shape for key, part in space.spaces.items()} if isinstance(space, spaces.Dict) else space.shape


def shape_of(observations: Observations) -> Shape:
    """Return the shape of one of N observations."""
    if isinstance(observations, dict):
        return {key: array.shape[1:] for key, array in observations.items()}
    return observations.shape[1:]


@dataclass
class Transition:
    """One step of N environments; for those whose player was lost or state invalid, the state is the one before.

    Attributes:
        observation: (N, *observation shape), of the state reached; for a Dict space, such an array for each key.
        reward: (N,) float64; 0 where the player was lost or the state invalid.
        terminated: (N,) bool.
        truncated: (N,) bool: the episode is too long, its player was lost or its state invalid.
        lost: (N,) bool, True where the player was lost; None: none was, as nearly always.
        invalid: (N,) bool, True where observation or reward had NaN or infinity; None: nowhere, as nearly always.
    """

    observation: Observations
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    lost: NDArray[np.bool_] | None = None
    invalid: NDArray[np.bool_] | None = None

    def causes(self) -> dict[str, NDArray[np.bool_]]:
        """Return the infos, shape (N,), that say why players cut episodes short; empty, as nearly always."""
        if self.lost is None and self.invalid is None:
            return {}
        causes = {"player_lost": self.lost, "invalid_state": self.invalid}
        return {name: environments for name, environments in causes.items() if environments is not None}

    def cut_short(self) -> None:
        """Truncate the episodes whose player was lost or state invalid; the agent is neither rewarded nor punished."""
        for broken in self.causes().values():
            self.reward = np.where(broken, 0.0, self.reward)
            self.terminated = self.terminated & ~broken
            self.truncated = self.truncated | broken
