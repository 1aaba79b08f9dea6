"""An endpoint served for as long as a program runs that does nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.statistics import PlayerStatistics, TrafficMonitor

PERIOD: Final = 1.0
"""Seconds between two looks at what the connections do."""

Look = Callable[[Sequence[PlayerStatistics]], None]


def serve(endpoint: Endpoint, looks: Sequence[Look], tend: Callable[[], float] = lambda: PERIOD) -> None:
    """Poll an endpoint until an exception such as KeyboardInterrupt ends it.

    Args:
        endpoint: what is polled.
        looks: called each second with what the connections do.
        tend: does what time demands; returns in how many seconds it has to be called again.
    """
    monitor = TrafficMonitor(endpoint)
    next_look = 0.0
    while True:
        if (now := time.monotonic()) >= next_look:
            next_look = now + PERIOD
            players = monitor.look()
            for look in looks:
                look(players)
        endpoint.poll(max(0.0, min(tend(), next_look - time.monotonic())))
