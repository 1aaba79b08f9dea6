"""The sockets that an endpoint listens with."""

from __future__ import annotations

import errno
import logging
import select
import socket
from collections.abc import Callable
from typing import Final

from rl_pipeline.transport.addresses import Address, host_and_port

logger = logging.getLogger(__name__)

_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listeners:
    """Accepts connections on any number of ports.

    Args:
        poller: where listening sockets are registered.
        welcome: called with each new connection and the address of its other end.
    """

    def __init__(self, poller: select.epoll, welcome: Callable[[socket.socket, str], None]) -> None:
        self._poller = poller
        self._welcome = welcome
        self._sockets: list[socket.socket] = []
        self._paused: list[socket.socket] = []
        self._exhausted = False

    def open(self, address: Address, port: int) -> socket.socket:
        """Listen on one more port; raises `InputError` when that cannot be."""
        listener = address.listen(port)
        self._sockets.append(listener)
        self._poller.register(listener.fileno(), select.EPOLLIN)
        return listener

    def accept(self, listener: socket.socket) -> None:
        """Accept one connection that waits."""
        try:
            sock, address = listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            self._cannot_accept(listener, error)
            return
        self._exhausted = False
        self._welcome(sock, host_and_port(address[0], address[1]))

    def resume(self) -> None:
        """Try again what could not be accepted."""
        paused, self._paused = self._paused, []
        for listener in paused:
            self._poller.modify(listener.fileno(), select.EPOLLIN)

    def close(self) -> None:
        """Stop listening."""
        for listener in self._sockets:
            listener.close()
        self._sockets.clear()
        self._paused.clear()

    def _cannot_accept(self, listener: socket.socket, error: OSError) -> None:
        if error.errno not in _EXHAUSTED:
            logger.debug("a connection was lost before it was accepted: %s", error)
            return
        # The connection still waits: without a pause the poller would report it again at once, for ever.
        self._poller.modify(listener.fileno(), 0)
        self._paused.append(listener)
        if not self._exhausted:
            self._exhausted = True
            logger.error(
                "no connection can be accepted for now (%s); allow more files with `ulimit -n`", error.strerror
            )
