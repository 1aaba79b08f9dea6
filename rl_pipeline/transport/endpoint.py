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
from typing import Any, Final

from rl_pipeline.errors import InputError
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.frames import (
    MAX_PAYLOAD,
    Frame,
    FrameError,
    decode_command,
    encode_command,
    encode_frame,
)

logger = logging.getLogger(__name__)

HANDSHAKE: Final = encode_command("__handshake", version="v0.7.0", metadata='{"protocol": "ROS2"}')
IDLE_POLL_PERIOD: Final = 0.05
"""Seconds between two looks of the background thread at connections that nobody else serves."""
_FIRST_SRV_ID, _LAST_SRV_ID = 1_000_000, 9_999_999
"""Ids of requests have a fixed number of digits, so that frames made once can be sent again with another id."""

ServiceHandler = Callable[[bytes], bytes]
MessageHandler = Callable[[bytes], None]


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
        self._local_services: dict[str, tuple[str, ServiceHandler]] = {}
        self._local_subscribers: dict[str, list[MessageHandler]] = {}
        self._latched: dict[str, bytes] = {}
        self._topic_types: dict[str, str] = {}
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
                "stop the program that uses it, name another port, or set ros.tcp_port=0 for any free one"
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
            self._request(connection, service, payload, srv_id, outcome.append)
        if not self.wait_until(lambda: bool(outcome), timeout):
            connection.calls.pop(srv_id, None)
            raise CallError(f"{service} did not answer within {timeout:g} s")
        if outcome[0] is None:
            raise CallError(f"{service}: the player was lost before it answered")
        return outcome[0]

    def serve(self, service: str, type_name: str, handler: ServiceHandler) -> None:
        """Offer a ROS service to players; `handler` takes the request's payload and returns the response's."""
        self._local_services[service] = (type_name, handler)

    def subscribe(self, topic: str, type_name: str, handler: MessageHandler) -> None:
        """Call `handler` with the payload of each message that a player publishes on a topic."""
        self._topic_types.setdefault(topic, type_name)
        self._local_subscribers.setdefault(topic, []).append(handler)

    def publish(self, topic: str, type_name: str, payload: bytes, *, latch: bool = False) -> None:
        """Send a message to every player that subscribed to the topic; with `latch`, to later ones too."""
        with self.lock:
            self._topic_types.setdefault(topic, type_name)
            self._route(topic, payload, latch)

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

    def on_frame(self, connection: Connection, frame: Frame) -> None:
        """Serve one frame of a player: a command, the payload that a command announced, or a topic's message."""
        if connection.announced is not None:
            kind, srv_id = connection.announced
            connection.announced = None
            if kind == "__response":
                connection.on_response(srv_id, frame)
            elif kind == "__request":
                self._on_ros_request(connection, srv_id, frame)
        elif frame.destination.startswith("__"):
            self._on_command(connection, frame)
        elif frame.destination in connection.publishers:
            self._route(frame.destination, frame.payload, latch=frame.destination in connection.latched)
        else:
            connection.error(f"not registered to publish topic {frame.destination!r}")

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
        logger.info("player %s: connected", connection.peer)
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

    # Commands.

    def _on_command(self, connection: Connection, frame: Frame) -> None:
        handler = _COMMANDS.get(frame.destination)
        if handler is None:
            connection.error(f"unknown command {frame.destination!r}")
            return
        try:
            handler(self, connection, frame.destination, decode_command(frame))
        except (FrameError, KeyError, TypeError, ValueError) as error:
            if frame.destination in ("__request", "__response"):
                connection.announced = ("", 0)  # its payload follows, and belongs to nobody
            reason = f"{frame.destination}: missing {error}" if isinstance(error, KeyError) else str(error)
            connection.error(f"malformed command: {reason}")

    def _announce(self, connection: Connection, command: str, fields: dict[str, Any]) -> None:
        connection.announced = (command, int(fields["srv_id"]))

    def _register(self, connection: Connection, command: str, fields: dict[str, Any]) -> None:
        name, type_name = _text(fields, "topic"), _text(fields, "message_name")
        if not name or type_name.count("/") != 1:
            connection.error(f"{command}: expected a topic and a type as package/Type, found {name!r}, {type_name!r}")
            return
        table: dict[str, str] = getattr(connection, _TABLES[command])
        # A connector sends the same registration again when it reconnects, and twice at its start.
        if table.get(name) == type_name and (command != "__unity_service" or self.services.get(name) is connection):
            return
        table[name] = type_name
        if command == "__unity_service":
            previous = self.services.get(name)
            if previous is not None and previous is not connection:
                logger.warning("%s: player %s takes over from %s", name, connection.peer, previous.peer)
            self.services[name] = connection
            return
        if command in ("__subscribe", "__publish"):
            self._topic_types.setdefault(name, type_name)
        if command == "__publish" and fields.get("latch") is True:
            connection.latched.add(name)
        if command == "__subscribe" and name in self._latched:
            connection.send_message(name, self._latched[name])

    def _unregister(self, connection: Connection, command: str, fields: dict[str, Any]) -> None:
        name = _text(fields, "topic")
        getattr(connection, _TABLES[command]).pop(name, None)
        if command == "__remove_unity_service" and self.services.get(name) is connection:
            del self.services[name]

    def _list_topics(self, connection: Connection, command: str, fields: dict[str, Any]) -> None:
        topics = sorted(self._topic_types.items())
        connection.send(
            encode_command(command, topics=[name for name, _ in topics], types=[type_name for _, type_name in topics])
        )

    # Topics and services.

    def _route(self, topic: str, payload: bytes, latch: bool) -> None:
        if latch:
            self._latched[topic] = payload
        for connection in self.connections:
            if topic in connection.subscribers:
                connection.send_message(topic, payload)
        for handler in self._local_subscribers.get(topic, ()):
            handler(_decodable(payload))

    def _request(
        self,
        connection: Connection,
        service: str,
        payload: bytes,
        srv_id: int,
        resolve: Callable[[bytes | None], None],
    ) -> None:
        connection.calls[srv_id] = resolve
        connection.send(encode_command("__request", srv_id=srv_id) + encode_frame(service, payload))

    def _on_ros_request(self, connection: Connection, srv_id: int, frame: Frame) -> None:
        """Answer a player's call of a ROS service: here, or by another player that offers it as a Unity service."""
        service = frame.destination

        def respond(payload: bytes | None) -> None:
            if payload is None:
                # The protocol has no error reply. A response without a payload fails to deserialize in the caller's
                # await, which is an exception there instead of a wait without end.
                connection.error(f"service {service!r} failed: nobody serves it, or whoever does was lost")
                payload = b""
            connection.send(encode_command("__response", srv_id=srv_id) + encode_frame(service, payload))

        if service in self._local_services:
            try:
                respond(self._local_services[service][1](_decodable(frame.payload)))
            except Exception:
                logger.exception("service %s failed", service)
                respond(None)
        elif (server := self.services.get(service)) is not None and server is not connection:
            self._request(server, service, frame.payload, self.next_srv_id(), respond)
        else:
            respond(None)


def _decodable(payload: bytes) -> bytes:
    """An empty message as ROS can read it: Unity sends only the header, and ROS wants one byte behind it."""
    return payload + b"\0" if len(payload) == 4 else payload


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields[key]
    if not isinstance(value, str):
        raise FrameError(f"{key}: expected a string, found {value!r}")
    return value


_TABLES: Final = {
    "__subscribe": "subscribers",
    "__publish": "publishers",
    "__ros_service": "ros_services",
    "__unity_service": "services",
    "__remove_subscriber": "subscribers",
    "__remove_publisher": "publishers",
    "__remove_ros_service": "ros_services",
    "__remove_unity_service": "services",
}
_COMMANDS: Final[dict[str, Callable[[Endpoint, Connection, str, dict[str, Any]], None]]] = {
    **dict.fromkeys(("__subscribe", "__publish", "__ros_service", "__unity_service"), Endpoint._register),
    **dict.fromkeys((name for name in _TABLES if name.startswith("__remove")), Endpoint._unregister),
    **dict.fromkeys(("__request", "__response"), Endpoint._announce),
    "__topic_list": Endpoint._list_topics,
}
