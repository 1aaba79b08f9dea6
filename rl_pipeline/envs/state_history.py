"""The last states and actions of N environments."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch

LENGTH: Final = 10
BUDGET: Final = 2**20
"""Bytes that states may take for the sake of the history: large ones (images) are kept only as long as steps need."""


class StateHistory:
    """The states of each step in memory of their own, written over in turn: nothing is copied to keep them.

    Args:
        first: the states reached by the first reset; they are the current ones, and their memory is taken over.

    Attributes:
        current: the states reached last.
        previous: those of the step before.
    """

    def __init__(self, first: Batch) -> None:
        length = int(np.clip(BUDGET // max(first.array.nbytes, 1), 2, LENGTH))
        self._batches = [first, *(first.copy() for _ in range(length - 1))]
        self._actions: deque[NDArray[Any]] = deque(maxlen=length - 1)
        self._position = 0
        self.current = self.previous = first

    def advance(self, actions: NDArray[Any]) -> None:
        """Begin a step: what is current becomes the previous, and `current` is there to be written."""
        self._position = (self._position + 1) % len(self._batches)
        self.previous, self.current = self.current, self._batches[self._position]
        self._actions.append(actions.copy())

    def last(self, index: int, steps: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """The last states and actions of one environment, oldest first.

        Args:
            index: which environment.
            steps: how many steps to go back, at most.

        Returns:
            A structured array of K + 1 states, and the K actions between them, shape (K, *action shape).
        """
        steps = min(steps, len(self._actions))
        batches = [self._batches[self._position - back] for back in range(steps, -1, -1)]
        actions = list(self._actions)[len(self._actions) - steps :]
        return (
            np.array([batch.array[index] for batch in batches], batches[0].array.dtype),
            np.array([action[index] for action in actions]),
        )
