"""Who may connect to an endpoint, and stay: the shared secret, and connections that nobody uses."""

from __future__ import annotations

import hmac
import logging
import resource
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.frames import MAX_PAYLOAD, Frame, FrameError, decode_command

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


class Admission:
    """Decides which connections are served.

    Args:
        token: secret that every connection must send as its first command; None: everyone is admitted.
        limits: how long a connection may wait before it does something.
    """

    def __init__(self, token: str | None, limits: Limits) -> None:
        self._token = None if token is None else token.encode()
        self._limits = limits

    @property
    def needs_token(self) -> bool:
        """Whether connections must send a token first."""
        return self._token is not None

    def check(self, connection: Connection, frame: Frame) -> None:
        """Take the first frame of a connection, which is served from then on or closed."""
        assert self._token is not None
        if self._is_token(frame):
            connection.admit()
        else:
            wrong = "a wrong token" if frame.destination == "__token" else "no token"
            connection.refuse(f"sent {wrong} (ros.token is set: start players with --ros-token)")

    def close_idle(self, connections: Iterable[Connection]) -> None:
        """Close the connections that waited too long to say who they are or what they offer."""
        now = time.monotonic()
        for connection in connections:
            if not connection.admitted:
                if now - connection.opened > self._limits.token_wait:
                    connection.evict(f"sent no token within {self._limits.token_wait:g} s")
            elif connection.heard:
                connection.heard, connection.last_heard = False, now
            elif not connection.registered and now - connection.last_heard > self._limits.silence:
                connection.evict(f"registered nothing and was silent for {self._limits.silence:g} s")

    def make_room(self, connections: list[Connection]) -> bool:
        """See to it that one more connection can be served; False when all that are open are in use."""
        if len(connections) < self._limits.open_connections:
            return True
        unused = [connection for connection in connections if not connection.is_player and not connection.services]
        oldest = next((connection for connection in unused if not connection.registered), unused[0] if unused else None)
        if oldest is None:
            return False
        are = "connection is" if len(connections) == 1 else "connections are"
        oldest.evict(f"made room for another: {len(connections)} {are} open")
        return True

    def _is_token(self, frame: Frame) -> bool:
        assert self._token is not None
        if frame.destination != "__token":
            return False
        try:
            token = decode_command(frame).get("token")
        except FrameError:
            return False
        # Compared as bytes, in a time that does not tell how much of it was right.
        return isinstance(token, str) and hmac.compare_digest(token.encode(errors="replace"), self._token)


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
