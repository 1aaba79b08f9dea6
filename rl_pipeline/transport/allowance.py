"""Limits of connections, and the memory and log lines that they share."""

from __future__ import annotations

import logging
import resource
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

from rl_pipeline.transport.frames import MAX_PAYLOAD

SPARE_DESCRIPTORS: Final = 128
"""File descriptors that connections leave to the rest of the process."""
LOG_BURST: Final = 50
"""Messages that are logged without a pause."""
LOG_PERIOD: Final = 1.0
"""Seconds between two messages after a burst."""


@dataclass(frozen=True)
class Limits:
    """Limits of one connection, and of all together.

    A peer whose service this process has called is a player; every other peer is a stranger.

    Attributes:
        payload: bytes of a payload that a player sends.
        stranger_payload: bytes of a payload that a stranger sends.
        memory: bytes that all strangers together may make the endpoint keep: incomplete frames, messages that wait
            for slow readers, latched messages and registrations.
        connections: open connections; beyond it, a stranger that registered no service makes room.
        errors: errors after which a stranger is closed.
        requests: calls of a player's service by other players that may be unanswered at a time.
        silence: seconds after which a connection is closed that registered nothing and sends nothing.
        token_wait: seconds in which a connection must send the token, where there is one.
    """

    payload: int = MAX_PAYLOAD
    stranger_payload: int = 16 * 2**20
    memory: int = 24 * 2**20
    connections: int = 8192
    errors: int = 100
    requests: int = 1024
    silence: float = 30.0
    token_wait: float = 10.0

    @property
    def open_connections(self) -> int:
        """`connections`, or fewer where the process may not open that many files."""
        # `ulimit -n` of the process.
        allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if allowed == resource.RLIM_INFINITY:
            return self.connections
        return max(1, min(self.connections, allowed - SPARE_DESCRIPTORS))


class Holder(Protocol):
    """A connection, as the budget sees it."""

    def evict(self, reason: str) -> None:
        """Close the connection."""


class MemoryBudget:
    """Bytes that strangers make the endpoint keep; beyond the limit, the largest holder is closed.

    Args:
        limit: bytes of all strangers together.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[Holder, int] = {}
        self._total = 0

    def hold(self, holder: Holder, size: int) -> None:
        """Set the bytes that a connection holds."""
        self._total += size - self._held.get(holder, 0)
        self._held[holder] = size
        # The largest holder goes first, so that small ones stay served.
        while self._total > self._limit:
            largest = max(self._held, key=self._held.__getitem__)
            held = self._held[largest]
            self.release(largest)
            largest.evict(f"holds {held} of the {self._limit} bytes that the endpoint keeps for all strangers")

    def release(self, holder: Holder) -> None:
        """Forget a connection that is closed, or has become a player."""
        self._total -= self._held.pop(holder, 0)


class LimitedLog:
    """Log `LOG_BURST` messages at once and one each `LOG_PERIOD` after that, with the number of those left out.

    Args:
        logger: receives the messages.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._allowance = float(LOG_BURST)
        self._refilled = time.monotonic()
        self._left_out = 0

    def log(self, level: int, message: str, *arguments: object) -> None:
        """Log a message, or count it among those left out."""
        if not self._logger.isEnabledFor(level):
            return
        # Token bucket: each message takes one token, and time brings them back.
        now = time.monotonic()
        self._allowance = min(LOG_BURST, self._allowance + (now - self._refilled) / LOG_PERIOD)
        self._refilled = now
        if self._allowance < 1.0:
            self._left_out += 1
            return
        self._allowance -= 1.0
        if self._left_out:
            message = f"{message} (%d like it were not logged)"
            arguments = (*arguments, self._left_out)
            self._left_out = 0
        self._logger.log(level, message, *arguments)


@dataclass
class Allowance:
    """Resources that all connections of an endpoint share.

    Attributes:
        limits: of one connection, and of all together.
        memory: bytes that strangers hold.
        log: receives the errors of peers.
        rejections: the last connections that were turned away, for error messages.
    """

    limits: Limits
    memory: MemoryBudget
    log: LimitedLog
    rejections: deque[str] = field(default_factory=lambda: deque(maxlen=8))
