"""What a step spends where: on the way to the players, in them, on the way back, and in the trainer between steps.

Four stamps make that of each request and response, as NTP (RFC 5905, section 8) makes a clock's offset of them:
t1 request sent and t4 response received by the trainer's clock, t2 request received and t3 response sent by the
player's. Round trip and processing are differences of one clock. The two latencies compare two clocks, which agree on
one machine and rarely on two. Since nothing arrives before it is sent, every response bounds its player's clock: it is
ahead by at least t3 - t4 and at most t2 - t1. The middle between the closest bounds is taken out of the latencies, and
is right to within half their distance.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch
from rl_pipeline.interfaces.optional_fields import has_stamps

Seconds = NDArray[np.float64]
RESOLUTION: Final = 1e-6
"""Seconds that stamps may be wrong by, as floating-point numbers go."""


@dataclass(frozen=True)
class Statistics:
    """Of a duration over the last calls and all players, in seconds.

    Attributes:
        current: mean over the players in the last call.
        mean: over all.
        sd: standard deviation.
        minimum: shortest.
        maximum: longest.
    """

    current: float
    mean: float
    sd: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, durations: Seconds, call: NDArray[np.intp]) -> Statistics:
        """Of durations of the calls of those numbers, both of shape (M,), M > 0."""
        latest = durations[call == call.max()]
        values = (latest.mean(), durations.mean(), durations.std(), durations.min(), durations.max())
        return cls(*map(float, values))


@dataclass(frozen=True)
class ClockOffset:
    """By how much the clock of a player, that which differs most, is ahead of the trainer's.

    Attributes:
        player: its index.
        seconds: how far ahead; 0 where the stamps of no player prove an offset.
        uncertainty: the true value lies within so many seconds of that.
    """

    player: int
    seconds: float
    uncertainty: float


@dataclass(frozen=True)
class Communication:
    """Where the time of the last calls went.

    Attributes:
        calls: how many were looked at.
        players: how many answered them.
        request_latency: from the trainer's stamp to the player's; with many players it includes the sending to others.
            None where no player's clock runs like the trainer's.
        processing: from the player's first stamp to its second: the simulation, and a frame if there is one.
        response_latency: from the player's second stamp to the arrival of the whole response; None likewise.
        round_trip: all of these.
        inference: between two steps: the policy, and whatever else the trainer does then.
        clock_offset: what was taken out of both latencies; None likewise.
    """

    calls: int
    players: int
    request_latency: Statistics | None
    processing: Statistics
    response_latency: Statistics | None
    round_trip: Statistics
    inference: Statistics
    clock_offset: ClockOffset | None


@dataclass(frozen=True)
class Stamps:
    """The four stamps of M responses, in seconds after some moment, and whose they are; each of shape (M,).

    Attributes:
        call: number of the call, from 0.
        player: index of the player.
        sent: t1, by the trainer's clock.
        received: t2, by the player's.
        answered: t3, by the player's.
        arrived: t4, by the trainer's.
    """

    call: NDArray[np.intp]
    player: NDArray[np.intp]
    sent: Seconds
    received: Seconds
    answered: Seconds
    arrived: Seconds

    @classmethod
    def of_columns(cls, columns: Sequence[NDArray[Any]]) -> Stamps:
        """Of the six arrays in the order above, or of none."""
        return cls(*(columns or [np.zeros(0)] * 6))


def communication(stamps: Stamps, inference: Iterable[float]) -> Communication | None:
    """The figures of responses, and of the seconds between steps; None before there are any."""
    between = np.fromiter(inference, np.float64)
    if not len(stamps.call) or not len(between):
        return None
    offset, uncertainty = _clock_offsets(stamps)
    ahead = offset[stamps.player]
    known = np.isfinite(ahead)
    latencies: dict[str, Statistics | None] = {"request_latency": None, "response_latency": None}
    clock_offset = None
    if known.any():
        furthest = int(np.nanargmax(np.abs(offset)))
        clock_offset = ClockOffset(furthest, float(offset[furthest]), float(uncertainty[furthest]))
        there, back = stamps.received - stamps.sent - ahead, stamps.arrived - stamps.answered + ahead
        for name, latency in zip(latencies, (there, back), strict=True):
            latencies[name] = Statistics.of(latency[known], stamps.call[known])
    return Communication(
        calls=len(np.unique(stamps.call)),
        players=len(np.unique(stamps.player)),
        **latencies,
        processing=Statistics.of(stamps.answered - stamps.received, stamps.call),
        round_trip=Statistics.of(stamps.arrived - stamps.sent, stamps.call),
        inference=Statistics.of(between, np.arange(len(between))),
        clock_offset=clock_offset,
    )


def _clock_offsets(stamps: Stamps) -> tuple[Seconds, Seconds]:
    """How far each player's clock is ahead, and how uncertain that is; each of shape (players,).

    NaN for those that were not heard of, and for clocks that do not run like the trainer's: they jumped, or stand.
    """
    least, most = np.full((2, int(stamps.player.max()) + 1), np.nan)
    np.fmax.at(least, stamps.player, stamps.answered - stamps.arrived)
    np.fmin.at(most, stamps.player, stamps.received - stamps.sent)
    # An offset that is not proven is taken for none: on one machine the latencies then are what was measured.
    offset = np.where((least <= 0.0) & (most >= 0.0), 0.0, (least + most) / 2)
    offset[least > most + RESOLUTION] = np.nan
    return offset, np.maximum(np.abs(most - offset), np.abs(least - offset))


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
