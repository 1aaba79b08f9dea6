"""Admission of connections to an endpoint: the shared secret, room for new ones, and the end of idle ones."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterable

from rl_pipeline.transport.allowance import Limits
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.protocol import Token


class Admission:
    """Decides which connections are served.

    Args:
        token: secret that every connection must send as its first command; None: all are admitted.
        limits: times that a connection may wait, and how many may be open.
    """

    def __init__(self, token: str | None, limits: Limits) -> None:
        self._token = None if token is None else token.encode()
        self._limits = limits

    @property
    def needs_token(self) -> bool:
        """True if connections must send a token first."""
        return self._token is not None

    def check(self, connection: Connection, token: Token) -> None:
        """Admit or close a connection by its first frame."""
        assert self._token is not None
        # Bytes are compared in a time that does not depend on how many of them are right.
        if token.value is not None and hmac.compare_digest(token.value.encode(errors="replace"), self._token):
            connection.admit()
        else:
            wrong = "a wrong token" if token.sent else "no token"
            connection.refuse(f"sent {wrong} (ros.token is set: start players with --ros-token)")

    def close_idle(self, connections: Iterable[Connection]) -> None:
        """Close connections that sent no token, or registered nothing and were silent, for too long."""
        now = time.monotonic()
        for connection in connections:
            if not connection.admitted:
                if now - connection.opened > self._limits.token_wait:
                    connection.evict(f"sent no token within {self._limits.token_wait:g} s")
            elif connection.heard:
                # The time is taken here, once a second, rather than with each receive.
                connection.heard = False
                connection.last_heard = now
            elif not connection.registered and now - connection.last_heard > self._limits.silence:
                connection.evict(f"registered nothing and was silent for {self._limits.silence:g} s")

    def make_room(self, connections: list[Connection]) -> bool:
        """Make sure that one more connection can be served; False if all open ones are in use."""
        if len(connections) < self._limits.open_connections:
            return True
        # Players and owners of services stay. Of the rest, those that registered nothing go first, oldest first.
        unused = [connection for connection in connections if not connection.is_player and not connection.services]
        oldest = next((connection for connection in unused if not connection.registered), unused[0] if unused else None)
        if oldest is None:
            return False
        are = "connection is" if len(connections) == 1 else "connections are"
        oldest.evict(f"made room for another: {len(connections)} {are} open")
        return True
