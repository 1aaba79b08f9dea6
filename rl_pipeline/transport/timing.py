"""Timing of a step: latencies to and from the players, processing in them, and inference between steps.

It is computed from four stamps of each request and response, as NTP (RFC 5905, section 8) computes a clock's offset:
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
"""Error of stamps as floating-point numbers, s."""
WINDOW: Final = 100
"""Number of last calls that figures are computed of."""

_TIME: Final = np.dtype([("sec", np.int32), ("nanosec", np.uint32)])


@dataclass(frozen=True)
class Statistics:
    """Statistics of a duration over the last calls and all players, in seconds.

    Attributes:
        current: mean over the players in the last call.
        mean: mean over all calls.
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
        """Summarize durations and the numbers of their calls, both of shape (M,), M > 0."""
        # Floats of Python: the figures are written as JSON.
        latest = durations[call == call.max()]
        values = (latest.mean(), durations.mean(), durations.std(), durations.min(), durations.max())
        return cls(*map(float, values))


@dataclass(frozen=True)
class ClockOffset:
    """Offset of a player's clock from the trainer's: of the player whose clock differs most.

    Attributes:
        player: its index.
        seconds: positive if ahead; 0 where the stamps of no player prove an offset.
        uncertainty: greatest error of `seconds`.
    """

    player: int
    seconds: float
    uncertainty: float


@dataclass(frozen=True)
class Communication:
    """Parts of the time of the last calls.

    Attributes:
        calls: number of calls.
        players: number of players that answered.
        request_latency: from the trainer's stamp to the player's; with many players it includes the sending to others.
            None where no player's clock runs like the trainer's.
        processing: from the player's first stamp to its second: the simulation, and a frame if there is one.
        response_latency: from the player's second stamp to the arrival of the complete response; None as above.
        round_trip: sum of these.
        inference: between two steps: the policy, and all other work of the trainer.
        clock_offset: subtracted from both latencies; None as above.
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
    """The four stamps of M responses, in seconds after a common moment, and their players; each of shape (M,).

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
        """Make stamps of the six arrays in the order above; of no arrays, M = 0."""
        return cls(*(columns or [np.zeros(0)] * 6))


def communication(stamps: Stamps, inference: Iterable[float]) -> Communication | None:
    """Compute the parts of the last calls, and of the seconds between steps; None before the first step."""
    between = np.fromiter(inference, np.float64)
    if not len(stamps.call) or not len(between):
        return None
    # Latencies compare two clocks: leave out players whose clock does not run like the trainer's.
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
    """Return the offset of each player's clock and its uncertainty, each of shape (players,).

    NaN for players without a response, and for clocks that do not run like the trainer's: they jumped, or stand.
    """
    # Bounds of each offset: a response neither arrives before it is sent, nor a request.
    least, most = np.full((2, int(stamps.player.max()) + 1), np.nan)
    np.fmax.at(least, stamps.player, stamps.answered - stamps.arrived)
    np.fmin.at(most, stamps.player, stamps.received - stamps.sent)
    # An offset that is not proven is taken for none: on one machine the latencies then are what was measured.
    offset = np.where((least <= 0.0) & (most >= 0.0), 0.0, (least + most) / 2)
    offset[least > most + RESOLUTION] = np.nan
    return offset, np.maximum(np.abs(most - offset), np.abs(least - offset))


@dataclass(frozen=True)
class ResponseTimes:
    """Seconds from the sending of the requests to each player's response.

    Attributes:
        mean: (N,), NaN of a player that has not answered.
        maximum: (N,), NaN of a player that has not answered.
        share: (N,), share of all time waited in which only this player's response was outstanding.
        calls: number of calls.
        median: of all responses; NaN before the first.
    """

    mean: NDArray[np.float64]
    maximum: NDArray[np.float64]
    share: NDArray[np.float64]
    calls: int
    median: float

    @property
    def slowest(self) -> int:
        """Index of the player that the others wait for most."""
        return int(self.share.argmax())


class _PlayerStamps(NamedTuple):
    """Stamps of M players by their clocks, as `builtin_interfaces/Time`.

    `epoch` is added to the trainer's moments to make them such times too, s.
    """

    players: NDArray[np.intp] | slice
    received: NDArray[Any]
    sent: NDArray[Any]
    epoch: float


class _Call(NamedTuple):
    """One call: its beginning, the players in order of their answers, the moments of these, and the players' stamps."""

    began: float
    players: list[int]
    moments: list[float]
    stamps: list[_PlayerStamps]


class ResponseLog:
    """Log of the last calls: a few lists each, from which figures are computed only on demand.

    Args:
        count: number of players, N.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._calls: deque[_Call] = deque(maxlen=WINDOW)
        self._stamped: Batch | None = None
        self._stamp_fields: tuple[Batch, Batch] | None = None

    def begin(self, moment: float) -> tuple[list[int], list[float]]:
        """Begin a call at a moment; return the lists of players and moments that answers are appended to."""
        call = _Call(moment, [], [], [])
        self._calls.append(call)
        return call.players, call.moments

    def keep_stamps(self, players: NDArray[np.intp] | slice, responses: Batch) -> None:
        """Keep the players' own stamps of responses to the current call, if their type has any."""
        if responses is not self._stamped:  # views of the same memory stay the same
            self._stamped = responses
            self._stamp_fields = None
            if has_stamps(responses.struct):
                self._stamp_fields = responses["request_received"], responses["response_sent"]
        if self._stamp_fields is not None:
            received, sent = self._stamp_fields
            epoch = time.time() - time.perf_counter()
            self._calls[-1].stamps.append(_PlayerStamps(players, received.opaque(), sent.opaque(), epoch))

    def summary(self) -> ResponseTimes:
        """Compute the response times of the last calls."""
        totals, numbers, alone = np.zeros((3, self._count))
        maximum = np.full(self._count, np.nan)
        waited = 0.0
        responses: list[NDArray[np.float64]] = []
        for began, players, moments, *_ in self._calls:
            if not players:
                continue
            times = np.array(moments) - began
            responses.append(times)
            # Sums for each player, and the time waited for the last one alone.
            totals[players] += times
            numbers[players] += 1
            maximum[players] = np.fmax(maximum[players], times)
            alone[players[-1]] += moments[-1] - (moments[-2] if len(moments) > 1 else began)
            waited += times[-1]
        # NaN for players without a response.
        mean = np.divide(totals, numbers, out=np.full(self._count, np.nan), where=numbers > 0)
        median = float(np.median(np.concatenate(responses))) if responses else math.nan
        return ResponseTimes(mean, maximum, alone / waited if waited else alone, len(responses), median)

    def stamps(self) -> Stamps:
        """Return the stamps of the last calls, in seconds after the first of them began."""
        everyone = np.arange(self._count)
        parts: list[tuple[NDArray[Any], ...]] = []
        origin = 0.0
        for number, call in enumerate(self._calls):
            arrived = np.full(self._count, np.nan)
            arrived[call.players] = call.moments
            for players, received, sent, epoch in call.stamps:
                origin = origin or call.began + epoch
                # One part of the six columns of `Stamps`.
                indices = everyone[players]
                parts.append(
                    (
                        *(np.full(len(indices), number), indices),
                        *(np.full(len(indices), call.began + epoch - origin), _seconds(received, origin)),
                        *(_seconds(sent, origin), arrived[indices] + epoch - origin),
                    )
                )
        return Stamps.of_columns([np.concatenate(column) for column in zip(*parts, strict=True)])


def _seconds(stamp: NDArray[Any], origin: float) -> NDArray[np.float64]:
    """Convert stamps of type `builtin_interfaces/Time` to seconds after `origin`, of the same epoch."""
    times = stamp.view(_TIME)
    seconds: NDArray[np.float64] = (times["sec"] - origin) + 1e-9 * times["nanosec"]
    return seconds
