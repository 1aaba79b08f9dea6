"""What a step spends where: on the way to the players, in them, on the way back, and in the trainer between steps.

Four stamps make that of each request and response, as NTP (RFC 5905, section 8) makes a clock's offset of them:
t1 request sent and t4 response received by the trainer's clock, t2 request received and t3 response sent by the
player's. Round trip and processing are differences of one clock. The two latencies compare two clocks, which agree on
one machine and rarely on two. Since nothing arrives before it is sent, every response bounds its player's clock: it is
ahead by at least t3 - t4 and at most t2 - t1. The middle between the closest bounds is taken out of the latencies, and
is right to within half their distance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

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
