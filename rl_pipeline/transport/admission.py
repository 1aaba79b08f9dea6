"""Who may connect to an endpoint, and stay: the shared secret, and connections that nobody uses."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterable

from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.frames import Frame, FrameError, decode_command
from rl_pipeline.transport.limits import Limits


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
