"""Traffic of connections: counters, and rates between two looks at them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol


@dataclass
class Traffic:
    """Counters of one connection since it was opened.

    Attributes:
        messages_in: messages and responses that the player sent.
        messages_out: messages and requests sent to it.
        bytes_in: bytes of `messages_in`.
        bytes_out: bytes of `messages_out`.
        dropped: topic messages dropped because the player reads too slowly.
        moment: time of these values on the monotonic clock, s.
    """

    messages_in: int = 0
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    dropped: int = 0
    moment: float = field(default_factory=time.monotonic)

    def received(self, size: int) -> None:
        """Count one message of `size` bytes from the player."""
        self.messages_in += 1
        self.bytes_in += size

    def sent(self, size: int) -> None:
        """Count one message of `size` bytes to the player."""
        self.messages_out += 1
        self.bytes_out += size

    def now(self) -> Traffic:
        """Copy the counters, to compare them with later ones."""
        return replace(self, moment=time.monotonic())

    def rates_since(self, earlier: Traffic) -> Rates:
        """Return the average rates since an earlier copy."""
        seconds = max(self.moment - earlier.moment, 1e-9)
        return Rates(
            (self.messages_in - earlier.messages_in) / seconds,
            (self.messages_out - earlier.messages_out) / seconds,
            (self.bytes_in - earlier.bytes_in) / seconds,
            (self.bytes_out - earlier.bytes_out) / seconds,
        )


@dataclass(frozen=True)
class Rates:
    """Messages and bytes a second, in both directions."""

    messages_in: float = 0.0
    messages_out: float = 0.0
    bytes_in: float = 0.0
    bytes_out: float = 0.0


@dataclass(frozen=True)
class PlayerStatistics:
    """One connection between two looks.

    Attributes:
        peer: address of the player.
        services: names of the services it offers.
        topics: number of topics that it publishes or subscribes to.
        rates: messages and bytes a second.
        unanswered: requests that it has not answered.
        queue_age: seconds for which the oldest frame in its outbox has waited.
        dropped: messages dropped so far because it reads too slowly.
        newly_dropped: messages dropped since the look before.
    """

    peer: str
    services: tuple[str, ...]
    topics: int
    rates: Rates
    unanswered: int
    queue_age: float
    dropped: int
    newly_dropped: int


class Counted(Protocol):
    """A connection, as the monitor sees it."""

    peer: str
    services: dict[str, str]
    publishers: dict[str, str]
    subscribers: dict[str, str]
    calls: dict[int, Callable[[bytes | None], None]]
    traffic: Traffic
    opened: float

    @property
    def queue_age(self) -> float:
        """Seconds for which the oldest frame in the outbox has waited."""
        ...


class TrafficMonitor:
    """Compares the counters of connections with those of the look before."""

    def __init__(self) -> None:
        self._before: dict[Counted, Traffic] = {}

    def look(self, connections: Iterable[Counted]) -> list[PlayerStatistics]:
        """Describe the time since the last look, in the order of `connections`; of a new one since it was opened."""
        # Connections that have closed are forgotten.
        before = self._before
        self._before = {each: each.traffic.now() for each in connections}
        return [
            _statistics(each, before.get(each, Traffic(moment=each.opened)), now) for each, now in self._before.items()
        ]


def _statistics(connection: Counted, before: Traffic, now: Traffic) -> PlayerStatistics:
    return PlayerStatistics(
        peer=connection.peer,
        services=tuple(sorted(connection.services)),
        topics=len(connection.publishers) + len(connection.subscribers),
        rates=now.rates_since(before),
        unanswered=len(connection.calls),
        queue_age=connection.queue_age,
        dropped=now.dropped,
        newly_dropped=now.dropped - before.dropped,
    )
