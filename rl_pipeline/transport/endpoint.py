"""The TCP server that players connect to: the server's side of the ROS-TCP protocol, without ROS behind it.

One poller serves every connection. A caller that waits for players drives it (`poll`, `call`, a service batch), and a
background thread drives it in between, so that players are answered while the trainer computes gradients.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from rl_pipeline.transport.admission import Admission
from rl_pipeline.transport.allowance import Allowance, LimitedLog, Limits, MemoryBudget
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.frames import encode_command
from rl_pipeline.transport.listening import Listeners, resolve
from rl_pipeline.transport.protocol import Event, PlayerId, Token
from rl_pipeline.transport.router import Router
from rl_pipeline.transport.traffic import PlayerStatistics, TrafficMonitor

logger = logging.getLogger(__name__)

HANDSHAKE: Final = encode_command("__handshake", version="v0.7.0", metadata='{"protocol": "ROS2"}')
IDLE_POLL_PERIOD: Final = 0.05
"""Seconds between two polls of the background thread."""
SWEEP_PERIOD: Final = 1.0
"""Seconds between two searches for connections that should not stay."""
LOOK_PERIOD: Final = 1.0
"""Seconds between two looks at the statistics of connections."""

Look = Callable[[Sequence[PlayerStatistics]], None]


class CallError(RuntimeError):
    """A single service call failed: no player offers the service, the player was lost, or the deadline passed."""


class Endpoint:
    """Listens for players and speaks ROS-TCP with each.

    Args:
        host: address or host name to listen on; the default admits only this machine.
        port: port to listen on, 0 for any free one; None: none yet, see `listen`.
        token: secret that every connection must send as its first command; None: every peer is served.
        limits: limits of connections.

    Attributes:
        address: numeric address listened on.
        port: the first port listened on.
        router: topics, services and registrations of players.
        services: Unity services offered by players, name to the connection that owns it.
        rejections: the last connections that were turned away, for error messages.
        events: counts events served by `poll` and connections closed.
        deferred: callbacks to run before the next `poll`; the compiled loop takes them back if it needs no `poll`.
        lock: held by any code that touches connections; `poll` holds it while it waits.

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
        # Address and secret.
        self.address = resolve(host)
        if token is None and not self.address.is_loopback:
            logger.warning(
                "ros.tcp_ip: whoever reaches %s can act as a player, since ros.token is not set; "
                "set it to a secret, or ros.tcp_ip to 127.0.0.1 when all players run on this machine",
                host,
            )
        # Shared by all connections.
        limits = limits or Limits()
        self._allowance = Allowance(limits, MemoryBudget(limits.memory), LimitedLog(logger))
        self._admission = Admission(token, limits)
        self.lock = threading.RLock()
        self.router = Router(self._allowance, self.lock)
        self.services = self.router.services
        self.rejections = self._allowance.rejections
        self.events = 0
        self.deferred: list[Callable[[], None]] = []
        # Handlers of file descriptors, and the sockets that accept connections.
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._numbers = itertools.count()
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
        """The open connections, in the order in which they were accepted."""
        return list(self.router.connections.values())

    @property
    def poller(self) -> int:
        """Descriptor of the epoll instance that watches every connection, for compiled loops."""
        return self._epoll.fileno()

    def start(self) -> None:
        """Serve players in the background too, while no other thread polls."""
        if self._idle_thread is None:
            self._idle_thread = threading.Thread(target=self._serve_idle, name="endpoint", daemon=True)
            self._idle_thread.start()

    def listen(self, port: int) -> int:
        """Listen on one more port, 0 for any free one; return its number.

        Raises:
            InputError: the address cannot be listened on.
        """
        listener = self._listeners.open(self.address, port)
        self._handlers[listener.fileno()] = lambda event: self._listeners.accept(listener)
        return int(listener.getsockname()[1])

    def poll(self, timeout: float) -> None:
        """Serve events, waiting at most `timeout` seconds for the first."""
        with self.lock:
            # Connections that a compiled loop has not served must be armed first.
            while self.deferred:
                self.deferred.pop()()
            for descriptor, event in self._epoll.poll(timeout):
                self.events += 1
                # An earlier event of this poll may have closed the connection.
                handler = self._handlers.get(descriptor)
                if handler is not None:
                    handler(event)
            self.sweep()

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Serve players until `condition` holds; return False if the timeout (seconds) passed first."""
        deadline = time.monotonic() + timeout
        while not condition():
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self._closing.is_set():
                return condition()
            self.poll(min(remaining, IDLE_POLL_PERIOD))
        return True

    def serve(self, looks: Sequence[Look] = (), tend: Callable[[], float] = lambda: LOOK_PERIOD) -> None:
        """Poll until an exception such as KeyboardInterrupt ends it.

        Args:
            looks: called each second with the statistics of the open connections.
            tend: does periodic work; returns the seconds until it must be called again.
        """
        # Both periods share one loop: poll until the earlier of the two.
        monitor = TrafficMonitor()
        next_look = 0.0
        while True:
            if (now := time.monotonic()) >= next_look:
                next_look = now + LOOK_PERIOD
                with self.lock:
                    players = monitor.look(self.connections)
                for look in looks:
                    look(players)
            self.poll(max(0.0, min(tend(), next_look - time.monotonic())))

    def call(self, service: str, payload: bytes, timeout: float) -> bytes:
        """Call one Unity service and wait for its response.

        Args:
            service: name of the service.
            payload: CDR of the request.
            timeout: seconds.

        Returns:
            CDR of the response.

        Raises:
            CallError: no player offers it, the player was lost, or the timeout passed.
        """
        outcome: list[bytes | None] = []
        with self.lock:
            connection = self.services.get(service)
            if connection is None:
                raise CallError(f"no connected player offers {service}")
            connection.become_player()
            srv_id = self.router.next_srv_id()
            connection.request(service, payload, srv_id, outcome.append)
        if not self.wait_until(lambda: bool(outcome), timeout):
            # A late response finds no caller and is only logged.
            connection.calls.pop(srv_id, None)
            raise CallError(f"{service} did not answer within {timeout:g} s")
        if outcome[0] is None:
            raise CallError(f"{service}: the player was lost before it answered")
        return outcome[0]

    def close(self) -> None:
        """Close every connection and stop listening; safe to call twice."""
        self._closing.set()
        if self._idle_thread is not None and self._idle_thread is not threading.current_thread():
            self._idle_thread.join(timeout=5.0)  # it may be within a poll
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
        """Undo `watch`; the descriptor must still be open."""
        with self.lock:
            self._handlers.pop(descriptor, None)
            with contextlib.suppress(OSError, ValueError):
                self._epoll.unregister(descriptor)

    def sweep(self) -> None:
        """Close connections that should not stay, once a second; a receiver that does not `poll` calls it too."""
        if (now := time.monotonic()) > self._next_sweep:
            self._next_sweep = now + SWEEP_PERIOD
            self._listeners.resume()
            self._admission.close_idle(self.connections)

    def _welcome(self, sock: socket.socket, peer: str) -> None:
        """Serve a new connection, or close it where there is no room."""
        if not self._admission.make_room(self.connections):
            count = len(self.router.connections)
            are = "connection is" if count == 1 else "connections are"
            self._allowance.log.log(logging.ERROR, "player %s: %d %s open; closed", peer, count, are)
            sock.close()
            return
        connection = Connection(
            sock,
            PlayerId(next(self._numbers), peer),
            self._epoll,
            self._allowance,
            needs_token=self._admission.needs_token,
            on_event=self._on_event,
            on_close=self._on_close,
        )
        self.router.connections[connection.id] = connection
        self._handlers[sock.fileno()] = connection.serve_poller
        self._epoll.register(sock.fileno(), select.EPOLLIN)
        logger.debug("player %s: connected", connection.peer)
        # Players wait for this frame before anything else.
        connection.send(HANDSHAKE)

    def _on_event(self, connection: Connection, event: Event) -> None:
        if isinstance(event, Token):
            self._admission.check(connection, event)
        else:
            self.router.on_event(connection, event)

    def _on_close(self, connection: Connection) -> None:
        """Forget a connection, while its descriptor is still its own."""
        self.events += 1
        descriptor = connection.fileno()
        self._handlers.pop(descriptor, None)
        with contextlib.suppress(OSError, ValueError):
            self._epoll.unregister(descriptor)
        self.router.withdraw(connection)

    def _serve_idle(self) -> None:
        """Poll in the background whenever the lock is free."""
        while not self._closing.wait(IDLE_POLL_PERIOD):
            if self.lock.acquire(blocking=False):
                try:
                    self.poll(0)
                except (OSError, ValueError):  # the endpoint was closed
                    return
                finally:
                    self.lock.release()
