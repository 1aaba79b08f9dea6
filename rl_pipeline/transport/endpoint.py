"""The TCP server that players connect to: the server's side of the ROS-TCP protocol, without ROS behind it.

One poller serves every connection. Whoever waits for players drives it (`poll`, `call`, a service batch), and a quiet
thread drives it while nobody does, so that players are answered while the trainer computes gradients.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from rl_pipeline.transport.admission import Admission, LimitedLog, Limits, MemoryBudget
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.frames import encode_command, encode_request
from rl_pipeline.transport.listening import Listeners, resolve
from rl_pipeline.transport.router import Graph

logger = logging.getLogger(__name__)

HANDSHAKE: Final = encode_command("__handshake", version="v0.7.0", metadata='{"protocol": "ROS2"}')
IDLE_POLL_PERIOD: Final = 0.05
"""Seconds between two looks of the background thread at connections that nobody else serves."""
SWEEP_PERIOD: Final = 1.0
"""Seconds between two looks at connections that should not stay."""
_FIRST_SRV_ID, _LAST_SRV_ID = 1_000_000, 9_999_999
"""Ids of requests have a fixed number of digits, so that frames made once can be sent again with another id."""


class CallError(RuntimeError):
    """A single service call failed: nobody offers the service, the player was lost, or the deadline passed."""


class Endpoint:
    """Listens for players and speaks ROS-TCP with each.

    Args:
        host: address or host name to listen on; the default admits only this machine.
        port: port to listen on, 0 for any free one; None: none yet, see `listen`.
        token: secret that every connection must send as its first command; None: everyone is served.
        limits: how much a peer may take.

    Attributes:
        address: address listened on, as a number.
        port: the first port listened on.
        services: Unity services offered by players, name to the connection that owns it.
        graph: topics and services beyond those that players offer.
        rejections: the last connections that were turned away, for error messages.
        limits: how much a peer may take.
        admission: who may connect and stay.
        memory: what strangers make this process keep.
        log: where what peers do wrong is logged.
        events: counts what `poll` served and the connections that were closed.
        deferred: what has to be done before the next `poll`, by those who hope that there will be none.
        lock: held by whoever touches connections; `poll` holds it while it waits.

    Raises:
        InputError: the address cannot be listened on.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int | None = 10000,
        *,
        token: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.address = resolve(host)
        if token is None and not self.address.is_loopback:
            logger.warning(
                "ros.tcp_ip: whoever reaches %s can act as a player, since ros.token is not set; "
                "set it to a secret, or ros.tcp_ip to 127.0.0.1 when all players run on this machine",
                host,
            )
        self.services: dict[str, Connection] = {}
        self.rejections: deque[str] = deque(maxlen=8)
        self.limits = limits or Limits()
        self.admission = Admission(token, self.limits)
        self.memory = MemoryBudget(self.limits.memory)
        self.log = LimitedLog(logger)
        self.graph = Graph(self)
        self._connections: dict[int, Connection] = {}
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._requests = itertools.count()
        self.lock = threading.RLock()
        self.events = 0
        self.deferred: list[Callable[[], None]] = []
        self._epoll = select.epoll()
        self._listeners = Listeners(self._epoll, self._welcome)
        self._next_sweep = 0.0
        self._closing = threading.Event()
        self._idle_thread: threading.Thread | None = None
        if port is not None:
            self.port = self.listen(port)

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def host(self) -> str:
        """Address listened on, as text."""
        return self.address.host

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
        listener = self._listeners.open(self.address, port)
        self._handlers[listener.fileno()] = lambda event: self._listeners.accept(listener)
        return int(listener.getsockname()[1])

    def poll(self, timeout: float) -> None:
        """Serve what is due, waiting at most `timeout` seconds for something to come."""
        with self.lock:
            while self.deferred:
                self.deferred.pop()()
            for descriptor, event in self._epoll.poll(timeout):
                self.events += 1
                handler = self._handlers.get(descriptor)
                if handler is not None:
                    handler(event)
            self.sweep()

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
        return _FIRST_SRV_ID + next(self._requests) % (_LAST_SRV_ID - _FIRST_SRV_ID + 1)

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
            connection.become_player()
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
            self._listeners.close()
            self._epoll.close()

    def watch(self, descriptor: int, handler: Callable[[int], None]) -> None:
        """Have `poll` call `handler` whenever another file descriptor can be read."""
        with self.lock:
            self._handlers[descriptor] = handler
            self._epoll.register(descriptor, select.EPOLLIN)

    def unwatch(self, descriptor: int) -> None:
        """Undo `watch`; the descriptor is still open then."""
        with self.lock:
            self._handlers.pop(descriptor, None)
            with contextlib.suppress(OSError, ValueError):
                self._epoll.unregister(descriptor)

    # What service batches use.

    @property
    def poller(self) -> int:
        """Descriptor of the epoll instance that watches every connection."""
        return self._epoll.fileno()

    def sweep(self) -> None:
        """Now and then, look at connections that should not stay; who receives without `poll` calls it too."""
        if (now := time.monotonic()) > self._next_sweep:
            self._next_sweep = now + SWEEP_PERIOD
            self._listeners.resume()
            self.admission.close_idle(self.connections)

    # What connections use.

    def watch_writable(self, connection: Connection, wanted: bool) -> None:
        """Have `connection.on_event` called when its socket can take more."""
        self._epoll.modify(connection.fileno(), select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    def forget(self, connection: Connection) -> None:
        """Drop a connection that closes, with all that it registered."""
        self.events += 1
        descriptor = connection.fileno()
        self._connections.pop(descriptor, None)
        self._handlers.pop(descriptor, None)
        with contextlib.suppress(OSError, ValueError):
            self._epoll.unregister(descriptor)
        self.memory.release(connection)
        self.graph.withdraw(connection)

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
        connection.traffic.sent(len(payload))
        connection.send(encode_request(service, payload, srv_id))

    # Accepting.

    def _welcome(self, sock: socket.socket, peer: str) -> None:
        if not self.admission.make_room(self.connections):
            count = len(self._connections)
            are = "connection is" if count == 1 else "connections are"
            self.log.log(logging.ERROR, "player %s: %d %s open; closed", peer, count, are)
            sock.close()
            return
        connection = Connection(sock, peer, self)
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
