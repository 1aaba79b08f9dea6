"""TCP options of the sockets that players are connected by."""

from __future__ import annotations

import socket
from typing import Final

MAX_UNSENT: Final = 2**18
"""Bytes that the kernel may hold unsent; messages there can no longer be replaced by newer ones."""

# Linux only, and not sticky: the kernel forgets it after some packets, so it is set again with each receive.
QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)

# Python 3.11 does not name the option.
_NOTSENT_LOWAT: Final[int] = getattr(socket, "TCP_NOTSENT_LOWAT", 25)

# TCP keepalive: the other end's kernel answers however busy the player is. A connection whose machine is gone is lost
# after 5 + 3 * 2 s of silence, or after 30 s with something unacknowledged.
_OPTIONS: Final = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.IPPROTO_TCP, _NOTSENT_LOWAT, MAX_UNSENT),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
)


def configure(sock: socket.socket) -> None:
    """Make a connected socket non-blocking, and have it send at once and notice a peer that is gone."""
    sock.setblocking(False)
    for level, option, value in _OPTIONS:
        sock.setsockopt(level, option, value)


def acknowledge(sock: socket.socket) -> None:
    """Acknowledge received bytes at once, since the peer may hold back the rest of its message until then.

    A real connector writes each field separately, with Nagle's algorithm on: the kernel's delay of 40 ms would delay
    each message by as much. A complete response does not need it: the next request acknowledges it.
    """
    if QUICKACK is not None:
        sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
