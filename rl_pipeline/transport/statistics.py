"""What each connection of an endpoint is doing: rates, queues and losses between two looks."""

from __future__ import annotations

from dataclasses import dataclass

from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.traffic import Rates, Traffic


@dataclass(frozen=True)
class PlayerStatistics:
    """One connection since the look before.

    Attributes:
        peer: address of the player.
        services: names of the services it offers.
        topics: number of topics that it publishes or wants.
        rates: messages and bytes a second.
        unanswered: requests that it has not answered.
        queue_age: seconds that the oldest of what waits for it has waited.
        dropped: messages that it lost so far, since it reads too slowly.
        newly_dropped: those of them since the look before.
    """

    peer: str
    services: tuple[str, ...]
    topics: int
    rates: Rates
    unanswered: int
    queue_age: float
    dropped: int
    newly_dropped: int


class TrafficMonitor:
    """Looks at an endpoint's connections again and again.

    Args:
        endpoint: whose connections.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._before: dict[Connection, Traffic] = {}

    def look(self) -> list[PlayerStatistics]:
        """What the open connections did since the last look, in the order in which they were opened."""
        with self._endpoint.lock:
            before, self._before = self._before, {each: each.traffic.now() for each in self._endpoint.connections}
            return [self._statistics(each, before.get(each, Traffic(moment=each.opened))) for each in self._before]

    def _statistics(self, connection: Connection, before: Traffic) -> PlayerStatistics:
        now = self._before[connection]
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
