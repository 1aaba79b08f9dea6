"""How long each player takes to answer, over the last calls of a service."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW: Final = 100
"""Calls that are looked back on."""


@dataclass(frozen=True)
class ResponseTimes:
    """Seconds from the sending of the requests to each player's response.

    Attributes:
        mean: (N,), NaN of a player that has not answered.
        maximum: (N,), likewise.
        share: (N,), share of all time waited in which only this player's response was outstanding.
    """

    mean: NDArray[np.float64]
    maximum: NDArray[np.float64]
    share: NDArray[np.float64]

    @property
    def slowest(self) -> int:
        """The player that the others wait for most."""
        return int(self.share.argmax())


class ResponseLog:
    """Keeps what one call costs nothing to keep, two lists, and computes when it is asked.

    Args:
        count: number of players, N.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._calls: deque[tuple[float, list[int], list[float]]] = deque(maxlen=WINDOW)

    def begin(self, moment: float) -> tuple[list[int], list[float]]:
        """Begin a call at a moment; returns the lists of the players that answer, in order, and of when they do."""
        players: list[int] = []
        moments: list[float] = []
        self._calls.append((moment, players, moments))
        return players, moments

    def summary(self) -> ResponseTimes:
        """The times of the last calls."""
        totals, numbers, alone = np.zeros((3, self._count))
        maximum = np.full(self._count, np.nan)
        waited = 0.0
        for began, players, moments in self._calls:
            if not players:
                continue
            times = np.array(moments) - began
            totals[players] += times
            numbers[players] += 1
            maximum[players] = np.fmax(maximum[players], times)
            alone[players[-1]] += moments[-1] - (moments[-2] if len(moments) > 1 else began)
            waited += times[-1]
        mean = np.divide(totals, numbers, out=np.full(self._count, np.nan), where=numbers > 0)
        return ResponseTimes(mean, maximum, alone / waited if waited else alone)
