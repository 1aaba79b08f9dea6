"""The player's side of the ROS-TCP protocol, as Unity's ROS-TCP-Connector speaks it, for players in Python."""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from collections.abc import Callable
from typing import Final

from rl_pipeline.transport.frames import (
    KEEPALIVE,
    Frame,
    FrameError,
    FrameReader,
    decode_command,
    encode_command,
    encode_frame,
)

logger = logging.getLogger(__name__)

KEEPALIVE_PERIOD: Final = 1.0
"""Seconds without a message after which a keepalive is sent."""
RECONNECT_DELAY: Final = 1.0
"""Seconds between a lost connection and the next attempt."""
CONNECT_TIMEOUT: Final = 2.0
RECEIVE_SIZE: Final = 2**18

Handler = Callable[[memoryview], "bytes | memoryview"]
MessageHandler = Callable[[memoryview], None]


class Client:
    """Client of an endpoint, which offers services, publishes and subscribes, and reconnects without end.

    It has no thread: `poll` does all work.

    Args:
        host: address of the endpoint.
        port: port of the endpoint.
        token: secret that the endpoint requires; None: it requires none.
    """

    def __init__(self, host: str, port: int, token: str | None = None) -> None:
        self._address = (host, port)
        self._greeting = KEEPALIVE if token is None else encode_command("__token", nul=True, token=token)
        self._services: dict[str, Handler] = {}
        self._subscribers: dict[str, MessageHandler] = {}
        self._registrations: dict[tuple[str, str], bytes] = {}
        self._socket: socket.socket | None = None
        self._reader = FrameReader()
        self._announced: int | None = None
        self._next_attempt = 0.0
        self._last_sent = 0.0
        self._failures = 0

    @property
    def connected(self) -> bool:
        """True while there is a connection, as far as is known."""
        return self._socket is not None

    def serve(self, name: str, type_name: str, handler: Handler) -> None:
        """Offer a Unity service: `handler` takes the request's CDR payload and returns the response's."""
        self._services[name] = handler
        self._register("__unity_service", topic=name, message_name=type_name)

    def subscribe(self, topic: str, type_name: str, handler: MessageHandler) -> None:
        """Call `handler` with the CDR payload of each of the topic's messages."""
        self._subscribers[topic] = handler
        self._register("__subscribe", topic=topic, message_name=type_name)

    def advertise(self, topic: str, type_name: str, *, queue_size: int = 10, latch: bool = False) -> None:
        """Register a topic for `publish`; with `latch`, later subscribers get its last message."""
        self._register("__publish", topic=topic, message_name=type_name, queue_size=queue_size, latch=latch)

    def publish(self, topic: str, payload: bytes | memoryview) -> None:
        """Send a message of an advertised topic, as CDR; it is lost while there is no connection."""
        if self._socket is not None:
            self._send(encode_frame(topic, payload, nul=True))

    def poll(self, timeout: float) -> None:
        """Connect if necessary, answer requests and keep the connection alive; wait at most `timeout` seconds."""
        deadline = time.monotonic() + timeout
        # Connect, or wait for the next attempt.
        if self._socket is None and not self._connect(deadline):
            return
        assert self._socket is not None
        # Keep the connection alive.
        now = time.monotonic()
        if now - self._last_sent > KEEPALIVE_PERIOD and not self._send(KEEPALIVE):
            return
        # Wait for bytes, no longer than until the next keepalive.
        wait = max(0.0, min(deadline - now, self._last_sent + KEEPALIVE_PERIOD - now))
        try:
            self._socket.settimeout(wait)
            data = self._socket.recv(RECEIVE_SIZE)
        except (TimeoutError, BlockingIOError):
            return
        except OSError as error:
            self._disconnect(str(error))
            return
        if not data:
            self._disconnect("closed by the endpoint")
            return
        # Answer the requests that they complete.
        try:
            for frame in self._reader.feed(data):
                self._on_frame(frame)
        except FrameError as error:
            self._disconnect(f"malformed frame: {error}")

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def _connect(self, deadline: float) -> bool:
        """Try to connect, once the delay since the last attempt is over; return whether there is a connection."""
        # A delay, so that players do not flood an endpoint that is down.
        now = time.monotonic()
        if now < self._next_attempt:
            time.sleep(max(0.0, min(deadline, self._next_attempt) - now))
            if time.monotonic() < self._next_attempt:
                return False
        try:
            self._socket = socket.create_connection(self._address, timeout=CONNECT_TIMEOUT)
        except OSError as error:
            # One warning for an endpoint that starts later than its players.
            self._failures += 1
            if self._failures == 1:
                logger.warning("cannot connect to %s:%d yet (%s)", *self._address, error)
            self._next_attempt = time.monotonic() + RECONNECT_DELAY
            return False
        # A new stream: everything is registered again.
        self._failures = 0
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = FrameReader()
        self._announced = None
        logger.info("connected to %s:%d", *self._address)
        return self._send(self._greeting + b"".join(self._registrations.values()))

    def _disconnect(self, reason: str) -> None:
        logger.warning("connection to %s:%d lost: %s", *self._address, reason)
        self.close()
        self._next_attempt = time.monotonic() + RECONNECT_DELAY

    def _register(self, command: str, **fields: object) -> None:
        """Send a registration now, and again with every new connection."""
        registration = encode_command(command, nul=True, **fields)
        self._registrations[command, str(fields["topic"])] = registration
        if self._socket is not None:
            self._send(registration)

    def _send(self, data: bytes) -> bool:
        assert self._socket is not None
        try:
            # A full buffer of the kernel blocks: the endpoint reads on.
            self._socket.settimeout(None)
            self._socket.sendall(data)
        except OSError as error:
            self._disconnect(str(error))
            return False
        self._last_sent = time.monotonic()
        return True

    def _on_frame(self, frame: Frame) -> None:
        if self._announced is not None:
            srv_id, self._announced = self._announced, None
            self._answer(srv_id, frame)  # the frame behind `__request`
        elif frame.destination == "__request":
            self._announced = int(decode_command(frame)["srv_id"])
        elif (handler := self._subscribers.get(frame.destination)) is not None:
            self._take(handler, frame)
        elif frame.destination in ("__log", "__warn", "__error"):
            logger.info("endpoint says: %s", decode_command(frame).get("text"))

    def _take(self, handler: MessageHandler, frame: Frame) -> None:
        try:
            handler(memoryview(frame.payload))
        except Exception:  # of the player's own code
            logger.exception("a message of %s cannot be used", frame.destination)

    def _answer(self, srv_id: int, frame: Frame) -> None:
        """Answer one request; as in Unity, one that cannot be served is logged and gets no answer."""
        service = self._services.get(frame.destination)
        if service is None:
            logger.error("request for %r, which is not offered here", frame.destination)
            return
        try:
            payload = service(memoryview(frame.payload))
        except Exception:
            logger.exception("service %s failed", frame.destination)
            return
        # Both frames at once: nothing may come between them.
        header = encode_command("__response", nul=True, srv_id=srv_id)
        self._send(header + encode_frame(frame.destination, payload, nul=True))
