"""The last states and actions of N environments."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch

LENGTH: Final = 10
BUDGET: Final = 2**20
"""Bytes that states may take for the sake of the history: large ones (images) are kept only as long as steps need."""


LAST_ACTIONS: Final = "last_actions"
"""Attribute of states with the actions that led to them; a field of that name in the message takes precedence."""


def attach_last_actions(states: Batch, actions: NDArray[Any]) -> None:
    """Make actions of leading axis N the attribute `last_actions` of N states, unless their message has that field."""
    if LAST_ACTIONS not in states.struct.fields:
        states.attach(LAST_ACTIONS, actions)


class StateHistory:
    """The states of each step in memory of their own, written over in turn: nothing is copied to keep them.

    The actions that led to the states lie beside them, as their attribute `last_actions`: zeros at the beginning of an
    episode.

    Args:
        first: the states reached by the first reset; they are the current ones, and their memory is taken over.
        action_shape: of one action.
        action_dtype: of actions.

    Attributes:
        current: the states reached last.
        previous: those of the step before.
    """

    def __init__(self, first: Batch, action_shape: tuple[int, ...], action_dtype: np.dtype[Any]) -> None:
        length = int(np.clip(BUDGET // max(first.array.nbytes, 1), 2, LENGTH))
        self._batches = [first, *(first.copy() for _ in range(length - 1))]
        self._actions = [np.zeros((len(first), *action_shape), action_dtype) for _ in self._batches]
        for batch, actions in zip(self._batches, self._actions, strict=True):
            attach_last_actions(batch, actions)
        self._position = 0
        self.current = self.previous = first

    def advance(self, actions: NDArray[Any]) -> None:
        """Begin a step: what is current becomes the previous, and `current` is there to be written."""
        self._position = (self._position + 1) % len(self._batches)
        self.previous, self.current = self.current, self._batches[self._position]
        self._actions[self._position][...] = actions

    def begin(self, environments: NDArray[np.intp]) -> None:
        """Begin episodes: no action has led to the current states of these environments, shape (K,)."""
        self._actions[self._position][environments] = 0

    def last(self, index: int, steps: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """The last states and actions of one environment, oldest first.

        Args:
            index: which environment.
            steps: how many steps to go back, at most; no more than were taken.

        Returns:
            A structured array of K + 1 states, and the K actions between them, shape (K, *action shape).
        """
        steps = min(steps, len(self._batches) - 1)
        positions = [self._position - back for back in range(steps, -1, -1)]
        return (
            np.array([self._batches[position].array[index] for position in positions], self.current.array.dtype),
            np.array([self._actions[position][index] for position in positions[1:]]),
        )
