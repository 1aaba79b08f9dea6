"""How much a peer may take of the endpoint, whoever it is."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import Final, Protocol

from rl_pipeline.transport.frames import MAX_PAYLOAD

DESCRIPTORS_LEFT: Final = 128
"""File descriptors that connections leave to the rest of the process."""


@dataclass(frozen=True)
class Limits:
    """What connections may take.

    A peer that this process has called is a player; everyone else is a stranger.

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
        allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if allowed == resource.RLIM_INFINITY:
            return self.connections
        return max(1, min(self.connections, allowed - DESCRIPTORS_LEFT))


class Holder(Protocol):
    """A connection, as the budget sees it."""

    def evict(self, reason: str) -> None:
        """Close it."""


class MemoryBudget:
    """Bytes that strangers make the endpoint keep; when they are too many, whoever holds most is closed."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[Holder, int] = {}
        self._total = 0

    def hold(self, holder: Holder, size: int) -> None:
        """Set what a connection holds, in bytes."""
        self._total += size - self._held.get(holder, 0)
        self._held[holder] = size
        while self._total > self._limit:
            largest = max(self._held, key=self._held.__getitem__)
            held = self._held[largest]
            self.release(largest)
            largest.evict(f"holds {held} of the {self._limit} bytes that the endpoint keeps for all strangers")

    def release(self, holder: Holder) -> None:
        """Forget a connection that is closed, or has become a player."""
        self._total -= self._held.pop(holder, 0)
