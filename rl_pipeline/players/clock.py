"""Pace of simulated time against the wall clock."""

from __future__ import annotations

import time
from typing import Final

MAX_LAG: Final = 0.1
"""Seconds that simulated time may lag behind the wall clock; a greater lag is forgotten."""


class Clock:
    """Wall-clock time at which the simulated time so far is due.

    Args:
        time_scale: simulated seconds per wall-clock second, > 0.
    """

    def __init__(self, time_scale: float) -> None:
        self._time_scale = time_scale
        self._due = time.monotonic()

    def restart(self) -> None:
        """Make the present moment the start of simulated time, after a pause."""
        self._due = time.monotonic()

    def spend(self, simulated: float) -> None:
        """Count `simulated` seconds of simulated time."""
        self._due = max(self._due + simulated / self._time_scale, time.monotonic() - MAX_LAG)

    def wait(self) -> None:
        """Sleep until the simulated time so far is due."""
        if (ahead := self.ahead()) > 0.0:
            time.sleep(ahead)

    def ahead(self) -> float:
        """Return the seconds until the simulated time so far is due; negative if it is late."""
        return self._due - time.monotonic()
