"""Simulated time in step with the clock on the wall."""

from __future__ import annotations

import time
from typing import Final

MAX_LAG: Final = 0.1
"""Wall-clock seconds that simulated time may lag behind before the rest is given up."""


class Pace:
    """When simulated time that has been spent is due.

    Args:
        time_scale: simulated seconds per second, greater than 0.
    """

    def __init__(self, time_scale: float) -> None:
        self._time_scale = time_scale
        self._due = time.monotonic()

    def restart(self) -> None:
        """What is simulated from now on is due from now on."""
        self._due = time.monotonic()

    def spend(self, simulated: float) -> None:
        """Note that `simulated` seconds have been simulated."""
        self._due = max(self._due + simulated / self._time_scale, time.monotonic() - MAX_LAG)

    def wait(self) -> None:
        """Sleep until what has been simulated is due."""
        if (ahead := self.ahead()) > 0.0:
            time.sleep(ahead)

    def ahead(self) -> float:
        """Seconds until what has been simulated is due; negative: it is late."""
        return self._due - time.monotonic()
