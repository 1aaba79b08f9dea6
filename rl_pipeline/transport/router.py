"""Routing between the players of an endpoint, this process and a ROS graph: topics, services and registrations."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

from rl_pipeline.transport.allowance import Allowance
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.frames import encode_command, encode_frame
from rl_pipeline.transport.protocol import (
    Event,
    Malformed,
    PlayerId,
    Published,
    Registered,
    Registration,
    RosRequest,
    TopicsRequested,
    Unregistered,
)

logger = logging.getLogger(__name__)

REGISTRATION_SIZE: Final = 256
"""Bytes that a registration takes here, beyond its texts."""
_FIRST_SRV_ID: Final = 1_000_000
_LAST_SRV_ID: Final = 9_999_999
"""Ids of requests have a fixed number of digits, so that prepared frames can be sent again with another id."""

ServiceHandler = Callable[[bytes], bytes]
MessageHandler = Callable[[bytes], None]


class BridgeError(Exception):
    """The ROS graph does not take a registration or a message; the text gives the player the reason."""


class Respond(Protocol):
    """Answers a player's call of a ROS service."""

    def __call__(self, payload: bytes | None, problem: str = ...) -> None:
        """Send the response's payload; None if the call failed because of `problem`."""


class Bridge(Protocol):
    """A ROS graph, as the endpoint sees it; every method is called with the endpoint's lock held."""

    def open(self, player: PlayerId, registration: Registration) -> None:
        """Take part in a topic or service for a player. Raises `BridgeError` for a name or type that ROS refuses."""

    def close(self, player: PlayerId, registration: Registration) -> None:
        """Undo `open`; withdraw the topic or service from the ROS graph if no other player has opened it."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a player's message, also to other players. Raises `BridgeError` for a message of a wrong type."""

    def call(self, service: str, payload: bytes, respond: Respond) -> None:
        """Call a ROS service for a player; `respond` is called in any case, within a deadline."""

    def topics(self) -> dict[str, str]:
        """Return names and types (as package/Type) of all topics of the graph."""

    def services(self) -> dict[str, str]:
        """Return names and types of all services of the graph."""


class Router:
    """Acts on the events of all players.

    Args:
        allowance: limits of connections.
        lock: held by every caller, except of `publish`, which takes it.

    Attributes:
        bridge: the ROS graph behind the endpoint, which then carries all topics and ROS services; None: there is none.
        connections: the open connections, in the order in which they were accepted.
        services: Unity services offered by players, name to the connection that owns it.
    """

    def __init__(self, allowance: Allowance, lock: threading.RLock) -> None:
        self.bridge: Bridge | None = None
        self.connections: dict[PlayerId, Connection] = {}
        self.services: dict[str, Connection] = {}
        self._allowance = allowance
        self._lock = lock
        self._srv_ids = itertools.count()
        self._local_services: dict[str, ServiceHandler] = {}
        self._local_subscribers: dict[str, list[MessageHandler]] = {}
        self._latched: dict[str, bytes] = {}
        self._topic_types: dict[str, str] = {}
        self._contested: set[str] = set()

    def serve(self, service: str, handler: ServiceHandler) -> None:
        """Offer a ROS service to players; `handler` takes the request's payload and returns the response's."""
        self._local_services[service] = handler

    def subscribe(self, topic: str, type_name: str, handler: MessageHandler) -> None:
        """Call `handler` with the payload of each message that a player publishes on a topic."""
        self._topic_types.setdefault(topic, type_name)
        self._local_subscribers.setdefault(topic, []).append(handler)

    def publish(self, topic: str, type_name: str, payload: bytes, *, latch: bool = False) -> None:
        """Send a message to every player that subscribes to the topic; with `latch`, to later ones too."""
        with self._lock:
            self._topic_types.setdefault(topic, type_name)
            if latch:
                self._latched[topic] = payload
            self._route(topic, payload)

    def next_srv_id(self) -> int:
        """Return an id for a request, unique among those outstanding."""
        return _FIRST_SRV_ID + next(self._srv_ids) % (_LAST_SRV_ID - _FIRST_SRV_ID + 1)

    def on_event(self, connection: Connection, event: Event) -> None:
        """Act on an event of a player."""
        # The most frequent event first.
        match event:
            case Published(topic, payload):
                self._on_message(connection, topic, payload)
            case RosRequest():
                self._on_ros_request(connection, event)
            case Registered(command, registration):
                try:
                    self._register(connection, registration)
                except BridgeError as error:
                    connection.error(f"{command}: {error}")
            case Unregistered(table, name):
                self._unregister(connection, Registration(table, name, connection.tables[table].get(name, "")))
            case TopicsRequested():
                self._list_topics(connection)
            case Malformed(text):
                connection.error(text)

    def withdraw(self, connection: Connection) -> None:
        """Remove a connection that closes, with everything that its player registered."""
        self.connections.pop(connection.id, None)
        for name in connection.services:
            self._release_service(connection, name)
        if self.bridge is not None:
            for table, names in connection.tables.items():
                for name, type_name in names.items():
                    self.bridge.close(connection.id, Registration(table, name, type_name))

    # Registrations.

    def _register(self, connection: Connection, registration: Registration) -> None:
        table = connection.tables[registration.table]
        name, type_name = registration.name, registration.type_name
        # A connector sends the same registration again when it reconnects, and twice at its start.
        if table.get(name) == type_name:
            return
        if registration.table == "services" and not self._take_service(connection, name):
            return
        self._open(connection, registration)
        # Count its memory, which a stranger has little of.
        size = len(type_name) - len(table[name]) if name in table else REGISTRATION_SIZE + len(name) + len(type_name)
        table[name] = type_name
        connection.keep(size)
        # Latched topics: remember the last message, and send it to a subscriber that comes later.
        if registration.table == "publishers" and registration.latch:
            connection.latched.setdefault(name, None)
        if registration.table == "subscribers" and (payload := self._latched_message(name)) is not None:
            connection.send_message(name, payload)

    def _open(self, connection: Connection, registration: Registration) -> None:
        """Open a registration in the ROS graph, in place of one of the same name and another type."""
        if self.bridge is None:
            return
        table = connection.tables[registration.table]
        if (previous := table.pop(registration.name, None)) is not None:
            self.bridge.close(connection.id, registration._replace(type_name=previous))
        try:
            self.bridge.open(connection.id, registration)
        except BridgeError:
            if registration.table == "services":
                self._release_service(connection, registration.name)
            raise

    def _take_service(self, connection: Connection, name: str) -> bool:
        """Make a connection the owner of a service, unless another one is."""
        owner = self.services.get(name)
        if owner is None or owner is connection:
            self.services[name] = connection
            self._contested.discard(name)
            return True
        if name not in self._contested:
            self._contested.add(name)
            logger.warning("%r: player %s offers it, but player %s owns it: refused", name, connection.peer, owner.peer)
        # Closing makes a connector come again in a second: a player whose old connection is dead, which the kernel
        # is about to find out, gets its services back in this way.
        connection.refuse(f"{name!r} is offered by another player, {owner.peer}")
        return False

    def _release_service(self, connection: Connection, name: str) -> None:
        if self.services.get(name) is connection:
            del self.services[name]

    def _unregister(self, connection: Connection, registration: Registration) -> None:
        table, name, type_name, *_ = registration
        if connection.tables[table].pop(name, None) is None:
            return
        latched = connection.latched.pop(name, None) if table == "publishers" else None
        connection.keep(-(REGISTRATION_SIZE + len(name) + len(type_name) + len(latched or b"")))
        if self.bridge is not None:
            self.bridge.close(connection.id, registration)
        if table == "services":
            self._release_service(connection, name)

    def _list_topics(self, connection: Connection) -> None:
        """Send the names and types of all topics and, in fields of their own, services."""
        topics, services = dict(self._topic_types), {}
        for other in self.connections.values():
            for name, type_name in (*other.publishers.items(), *other.subscribers.items()):
                topics.setdefault(name, type_name)
            services.update(other.services)
        if self.bridge is not None:
            topics |= self.bridge.topics()
            services |= self.bridge.services()
        # Parallel arrays; connectors read the first two, other clients the services.
        lists: dict[str, Any] = {}
        for names, types, offered in (("topics", "types", topics), ("services", "service_types", services)):
            lists[names] = sorted(offered)
            lists[types] = [offered[name] for name in lists[names]]
        connection.send(encode_command("__topic_list", **lists))

    # Topics and services.

    def _on_message(self, connection: Connection, topic: str, payload: bytes) -> None:
        if topic not in connection.publishers:
            connection.error(f"not registered to publish topic {topic!r}")
            return
        connection.traffic.received(len(payload))
        # A ROS graph routes all messages, also those to players.
        if self.bridge is not None:
            try:
                self.bridge.publish(topic, decodable(payload))
            except BridgeError as error:
                connection.error(f"{topic}: {error}")
            return
        # Keep the last message of a latched topic.
        if topic in connection.latched:
            previous = connection.latched[topic]
            connection.latched[topic] = payload
            connection.keep(len(payload) - len(previous or b""))
        self._route(topic, payload)

    def _latched_message(self, topic: str) -> bytes | None:
        """Return the last message of a latched topic, of this process or of a player that is still connected."""
        for connection in self.connections.values():
            if (payload := connection.latched.get(topic)) is not None:
                return payload
        return self._latched.get(topic)

    def _route(self, topic: str, payload: bytes) -> None:
        for connection in list(self.connections.values()):
            if topic in connection.subscribers:
                connection.send_message(topic, payload)
        for handler in self._local_subscribers.get(topic, ()):
            handler(decodable(payload))

    def _on_ros_request(self, connection: Connection, request: RosRequest) -> None:
        """Answer a player's call of a ROS service: here, in the ROS graph, or by another player that offers it."""
        srv_id, service, payload = request

        def respond(payload: bytes | None, problem: str = "nobody serves it, or whoever does was lost") -> None:
            if payload is None:
                # The protocol has no error reply. A response without a payload fails to deserialize in the caller's
                # await, which is an exception there instead of a wait without end.
                connection.error(f"service {service!r} failed: {problem}")
                payload = b""
            connection.traffic.sent(len(payload))
            connection.send(encode_command("__response", srv_id=srv_id) + encode_frame(service, payload))

        connection.traffic.received(len(payload))
        # A service of this process, of the ROS graph, or of another player.
        if service in self._local_services:
            try:
                respond(self._local_services[service](decodable(payload)))
            except Exception:
                logger.exception("service %s failed", service)
                respond(None)
        elif self.bridge is not None:
            self.bridge.call(service, decodable(payload), respond)
        elif (
            (server := self.services.get(service)) is not None
            and server is not connection
            and len(server.calls) < self._allowance.limits.requests
        ):
            server.request(service, payload, self.next_srv_id(), respond)
        else:
            respond(None)


def decodable(payload: bytes) -> bytes:
    """Return a payload as ROS can read it: an empty message of Unity is a header, and ROS wants one byte behind it."""
    return payload + b"\0" if len(payload) == 4 else payload
