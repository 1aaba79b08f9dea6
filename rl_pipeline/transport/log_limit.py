"""A log that strangers cannot fill."""

from __future__ import annotations

import logging
import time
from typing import Final

BURST: Final = 50
PERIOD: Final = 1.0


class LimitedLog:
    """Logs `BURST` messages at once and one each `PERIOD` seconds after that, and says how many were left out.

    Args:
        logger: where messages go.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._allowance = float(BURST)
        self._refilled = time.monotonic()
        self._left_out = 0

    def log(self, level: int, message: str, *arguments: object) -> None:
        """Log a message, or count it among those left out."""
        if not self._logger.isEnabledFor(level):
            return
        now = time.monotonic()
        self._allowance = min(BURST, self._allowance + (now - self._refilled) / PERIOD)
        self._refilled = now
        if self._allowance < 1.0:
            self._left_out += 1
            return
        self._allowance -= 1.0
        if self._left_out:
            message, arguments = f"{message} (%d like it were not logged)", (*arguments, self._left_out)
            self._left_out = 0
        self._logger.log(level, message, *arguments)
