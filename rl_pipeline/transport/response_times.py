"""How long each player takes to answer, over the last calls of a service."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch
from rl_pipeline.interfaces.optional_fields import has_stamps
from rl_pipeline.transport.communication import Stamps

WINDOW: Final = 100
"""Calls that are looked back on."""


@dataclass(frozen=True)
class ResponseTimes:
    """Seconds from the sending of the requests to each player's response.

    Attributes:
        mean: (N,), NaN of a player that has not answered.
        maximum: (N,), likewise.
        share: (N,), share of all time waited in which only this player's response was outstanding.
        calls: how many were looked at.
        median: of all responses; NaN before the first.
    """

    mean: NDArray[np.float64]
    maximum: NDArray[np.float64]
    share: NDArray[np.float64]
    calls: int
    median: float

    @property
    def slowest(self) -> int:
        """The player that the others wait for most."""
        return int(self.share.argmax())


_TIME: Final = np.dtype([("sec", np.int32), ("nanosec", np.uint32)])


class _PlayerStamps(NamedTuple):
    """When players received requests and sent responses, by their clocks: `builtin_interfaces/Time` of M players.

    `epoch` is what the trainer's moments lack to be such times too.
    """

    players: NDArray[np.intp] | slice
    received: NDArray[Any]
    sent: NDArray[Any]
    epoch: float


class _Call(NamedTuple):
    """One call: when it began, who answered, in order, when each did, and what the players say of it."""

    began: float
    players: list[int]
    moments: list[float]
    stamps: list[_PlayerStamps]


class ResponseLog:
    """Keeps what one call costs nothing to keep, a few lists, and computes when it is asked.

    Args:
        count: number of players, N.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._calls: deque[_Call] = deque(maxlen=WINDOW)
        self._stamped: Batch | None = None
        self._stamp_fields: tuple[Batch, Batch] | None = None

    def begin(self, moment: float) -> tuple[list[int], list[float]]:
        """Begin a call at a moment; returns the lists of the players that answer, in order, and of when they do."""
        call = _Call(moment, [], [], [])
        self._calls.append(call)
        return call.players, call.moments

    def keep_stamps(self, players: NDArray[np.intp] | slice, responses: Batch) -> None:
        """Keep the players' own stamps of responses to the call under way, if their type has any."""
        if responses is not self._stamped:
            self._stamped, self._stamp_fields = responses, _stamp_fields(responses)
        if self._stamp_fields is not None:
            received, sent = self._stamp_fields
            epoch = time.time() - time.perf_counter()
            self._calls[-1].stamps.append(_PlayerStamps(players, received.opaque(), sent.opaque(), epoch))

    def summary(self) -> ResponseTimes:
        """The times of the last calls."""
        totals, numbers, alone = np.zeros((3, self._count))
        maximum = np.full(self._count, np.nan)
        waited = 0.0
        responses: list[NDArray[np.float64]] = []
        for began, players, moments, *_ in self._calls:
            if not players:
                continue
            times = np.array(moments) - began
            responses.append(times)
            totals[players] += times
            numbers[players] += 1
            maximum[players] = np.fmax(maximum[players], times)
            alone[players[-1]] += moments[-1] - (moments[-2] if len(moments) > 1 else began)
            waited += times[-1]
        mean = np.divide(totals, numbers, out=np.full(self._count, np.nan), where=numbers > 0)
        median = float(np.median(np.concatenate(responses))) if responses else math.nan
        return ResponseTimes(mean, maximum, alone / waited if waited else alone, len(responses), median)

    def stamps(self) -> Stamps:
        """The stamps of the last calls, in seconds after the first of them began."""
        everyone = np.arange(self._count)
        parts: list[tuple[NDArray[Any], ...]] = []
        origin = 0.0
        for number, call in enumerate(self._calls):
            arrived = np.full(self._count, np.nan)
            arrived[call.players] = call.moments
            for players, received, sent, epoch in call.stamps:
                origin = origin or call.began + epoch
                indices = everyone[players]
                parts.append(
                    (
                        *(np.full(len(indices), number), indices),
                        *(np.full(len(indices), call.began + epoch - origin), _seconds(received, origin)),
                        *(_seconds(sent, origin), arrived[indices] + epoch - origin),
                    )
                )
        return Stamps.of_columns([np.concatenate(column) for column in zip(*parts, strict=True)])


def _stamp_fields(responses: Batch) -> tuple[Batch, Batch] | None:
    """Both stamps of responses; None where their type has none."""
    if not has_stamps(responses.struct):
        return None
    return responses["request_received"], responses["response_sent"]


def _seconds(stamp: NDArray[Any], origin: float) -> NDArray[np.float64]:
    """Stamps of type `builtin_interfaces/Time` in seconds after `origin`, of the same epoch."""
    times = stamp.view(_TIME)
    seconds: NDArray[np.float64] = (times["sec"] - origin) + 1e-9 * times["nanosec"]
    return seconds
