"""The TCP server that players connect to: the server's side of the ROS-TCP protocol, without ROS behind it.

One poller serves every connection. Whoever waits for players drives it (`poll`, `call`, a service batch), and a quiet
thread drives it while nobody does, so that players are answered while the trainer computes gradients.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import logging
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from rl_pipeline.errors import InputError
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.frames import MAX_PAYLOAD, encode_command, encode_frame
from rl_pipeline.transport.graph import Graph

logger = logging.getLogger(__name__)

HANDSHAKE: Final = encode_command("__handshake", version="v0.7.0", metadata='{"protocol": "ROS2"}')
IDLE_POLL_PERIOD: Final = 0.05
"""Seconds between two looks of the background thread at connections that nobody else serves."""
_FIRST_SRV_ID, _LAST_SRV_ID = 1_000_000, 9_999_999
"""Ids of requests have a fixed number of digits, so that frames made once can be sent again with another id."""


_LISTEN_ADVICE: Final = {
    errno.EADDRINUSE: "stop the program that uses it, name another port, or set ros.tcp_port=0 for any free one",
    errno.EADDRNOTAVAIL: "name an address of this machine, 127.0.0.1 for itself alone, or 0.0.0.0 for all of them",
    errno.EACCES: "ports below 1024 are reserved: name a greater one",
}


class CallError(RuntimeError):
    """A single service call failed: nobody offers the service, the player was lost, or the deadline passed."""


class Endpoint:
    """Listens for players and speaks ROS-TCP with each.

    Args:
        host: address to listen on; the default admits only this machine.
        port: port to listen on, 0 for any free one; None: none yet, see `listen`.
        max_payload: largest payload taken from a player, in bytes.

    Attributes:
        host: address listened on.
        port: the first port listened on.
        services: Unity services offered by players, name to the connection that registered it last.
        graph: topics and services beyond those that players offer.
        rejections: the last malformed streams, for error messages.
        max_payload: largest payload taken from a player, in bytes.
        lock: held by whoever touches connections; `poll` holds it while it waits.

    Raises:
        InputError: the address cannot be listened on.
    """

    def __init__(self, host: str = "127.0.0.1", port: int | None = 10000, *, max_payload: int = MAX_PAYLOAD) -> None:
        self.host = host
        self.services: dict[str, Connection] = {}
        self.rejections: deque[str] = deque(maxlen=8)
        self.max_payload = max_payload
        self.graph = Graph(self)
        self._connections: dict[int, Connection] = {}
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._srv_ids = itertools.cycle(range(_FIRST_SRV_ID, _LAST_SRV_ID + 1))
        self.lock = threading.RLock()
        self._epoll = select.epoll()
        self._listeners: list[socket.socket] = []
        self._closing = threading.Event()
        self._idle_thread: threading.Thread | None = None
        if port is not None:
            self.port = self.listen(port)

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connections(self) -> list[Connection]:
        """The open connections."""
        return list(self._connections.values())

    def start(self) -> None:
        """Serve players in the background too, whenever nobody else polls."""
        if self._idle_thread is None:
            self._idle_thread = threading.Thread(target=self._serve_idle, name="endpoint", daemon=True)
            self._idle_thread.start()

    def listen(self, port: int) -> int:
        """Listen on one more port, 0 for any free one; returns its number.

        Raises:
            InputError: the address cannot be listened on.
        """
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, port))
        except OSError as error:
            listener.close()
            raise InputError(
                f"ros.tcp_ip, ros.tcp_port: cannot listen on {self.host}:{port} ({error.strerror}); "
                f"{_LISTEN_ADVICE.get(error.errno or 0, 'use 127.0.0.1 and ros.tcp_port=0')}"
            ) from None
        self._listeners.append(listener)
        listener.listen(1024)
        listener.setblocking(False)
        self._handlers[listener.fileno()] = lambda event: self._accept(listener)
        self._epoll.register(listener.fileno(), select.EPOLLIN)
        return int(listener.getsockname()[1])

    def poll(self, timeout: float) -> None:
        """Serve what is due, waiting at most `timeout` seconds for something to come."""
        with self.lock:
            for descriptor, event in self._epoll.poll(timeout):
                handler = self._handlers.get(descriptor)
                if handler is not None:
                    handler(event)

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Serve players until `condition` holds; False when the timeout (seconds) passed first."""
        deadline = time.monotonic() + timeout
        while not condition():
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self._closing.is_set():
                return condition()
            self.poll(min(remaining, IDLE_POLL_PERIOD))
        return True

    def next_srv_id(self) -> int:
        """An id for a request, unique among those outstanding."""
        return next(self._srv_ids)

    def call(self, service: str, payload: bytes, timeout: float) -> bytes:
        """Call one Unity service and wait for its response.

        Raises:
            CallError: nobody offers it, the player was lost, or `timeout` seconds passed.
        """
        outcome: list[bytes | None] = []
        with self.lock:
            connection = self.services.get(service)
            if connection is None:
                raise CallError(f"no connected player offers {service}")
            srv_id = self.next_srv_id()
            self.request(connection, service, payload, srv_id, outcome.append)
        if not self.wait_until(lambda: bool(outcome), timeout):
            connection.calls.pop(srv_id, None)
            raise CallError(f"{service} did not answer within {timeout:g} s")
        if outcome[0] is None:
            raise CallError(f"{service}: the player was lost before it answered")
        return outcome[0]

    def close(self) -> None:
        """Close every connection and stop listening; safe to call twice."""
        self._closing.set()
        if self._idle_thread is not None and self._idle_thread is not threading.current_thread():
            self._idle_thread.join(timeout=5.0)
        with self.lock:
            for connection in self.connections:
                connection.close("endpoint closed", logging.DEBUG)
            for listener in self._listeners:
                listener.close()
            self._epoll.close()

    # What connections use.

    def watch_writable(self, connection: Connection, wanted: bool) -> None:
        """Have `connection.on_event` called when its socket can take more."""
        self._epoll.modify(connection.fileno(), select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    def forget(self, connection: Connection) -> None:
        """Drop a connection that closes, with all that it registered."""
        descriptor = connection.fileno()
        self._connections.pop(descriptor, None)
        self._handlers.pop(descriptor, None)
        with contextlib.suppress(OSError, ValueError):
            self._epoll.unregister(descriptor)
        for name in connection.services:
            if self.services.get(name) is connection:
                del self.services[name]

    def request(
        self,
        connection: Connection,
        service: str,
        payload: bytes,
        srv_id: int,
        resolve: Callable[[bytes | None], None],
    ) -> None:
        """Send a request; `resolve` gets the response's payload, or None when the player is lost before it answers."""
        connection.calls[srv_id] = resolve
        connection.send(encode_command("__request", srv_id=srv_id) + encode_frame(service, payload))

    # Accepting.

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, address = listener.accept()
        except OSError as error:
            logger.warning("a connection was lost before it was accepted: %s", error)
            return
        connection = Connection(sock, f"{address[0]}:{address[1]}", self)
        self._connections[sock.fileno()] = connection
        self._handlers[sock.fileno()] = connection.on_event
        self._epoll.register(sock.fileno(), select.EPOLLIN)
        logger.debug("player %s: connected", connection.peer)
        connection.send(HANDSHAKE)

    def _serve_idle(self) -> None:
        while not self._closing.wait(IDLE_POLL_PERIOD):
            if self.lock.acquire(blocking=False):
                try:
                    self.poll(0)
                except (OSError, ValueError):
                    return
                finally:
                    self.lock.release()
