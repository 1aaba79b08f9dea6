"""What players do to each other and to this process through the endpoint: topics, ROS services, and all commands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from rl_pipeline.transport.bridge import Bridge, BridgeError
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.frames import (
    MAX_DESTINATION,
    Frame,
    FrameError,
    decode_command,
    encode_command,
    encode_frame,
)
from rl_pipeline.transport.protocol import Registration, registrations_of

if TYPE_CHECKING:
    from rl_pipeline.transport.endpoint import Endpoint

logger = logging.getLogger(__name__)

MAX_SRV_ID: Final = 2**31 - 1
REGISTRATION_SIZE: Final = 256
"""Bytes that a registration takes here, beyond its texts."""

ServiceHandler = Callable[[bytes], bytes]
MessageHandler = Callable[[bytes], None]


class Graph:
    """Takes every frame of every player and does what it says.

    Commands are dispatched by an allow-list. A command that cannot be understood costs its sender one error, and
    nothing else: frames still begin where they should.

    Attributes:
        bridge: the ROS graph behind the endpoint, which then carries all topics and ROS services; None: there is none.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.bridge: Bridge | None = None
        self._endpoint = endpoint
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
        """Send a message to every player that subscribed to the topic; with `latch`, to later ones too."""
        with self._endpoint.lock:
            self._topic_types.setdefault(topic, type_name)
            if latch:
                self._latched[topic] = payload
            self._route(topic, payload)

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
            connection.traffic.received(len(frame.payload))
            self._publish_of(connection, frame.destination, frame.payload)
        else:
            connection.error(f"not registered to publish topic {frame.destination!r}")

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
        except BridgeError as error:
            connection.error(f"{frame.destination}: {error}")

    def _announce(self, connection: Connection, command: str, fields: dict[str, Any]) -> None:
        srv_id = fields["srv_id"]
        if type(srv_id) is not int or not 0 <= srv_id <= MAX_SRV_ID:
            raise FrameError(f"srv_id: expected a whole number from 0 to {MAX_SRV_ID}, found {srv_id!r:.80}")
        connection.announced = (command, srv_id)

    def _accept_token(self, connection: Connection, command: str, fields: dict[str, Any]) -> None:
        """Nothing is left to do: whoever must send a token is not served before (see admission.py)."""

    def _register(self, connection: Connection, command: str, fields: dict[str, Any]) -> None:
        name, type_name = _text(fields, "topic"), _text(fields, "message_name")
        if not (name and name.isprintable() and len(name) <= MAX_DESTINATION and type_name.count("/") == 1):
            connection.error(
                f"{command}: expected a name and a type as package/Type, found {name!r:.80}, {type_name!r:.80}"
            )
            return
        table: dict[str, str] = getattr(connection, _TABLES[command])
        # A connector sends the same registration again when it reconnects, and twice at its start.
        if table.get(name) == type_name:
            return
        if command == "__unity_service" and not self._take_service(connection, name):
            return
        queue_size = fields.get("queue_size")
        registration = Registration(
            _TABLES[command], name, type_name, fields.get("latch") is True, queue_size if type(queue_size) is int else 0
        )
        self._open(connection, registration)
        size = len(type_name) - len(table[name]) if name in table else REGISTRATION_SIZE + len(name) + len(type_name)
        table[name] = type_name
        connection.keep(size)
        if command == "__publish" and registration.latch:
            connection.latched.setdefault(name, None)
        if command == "__subscribe" and (payload := self._latched_message(name)) is not None:
            connection.send_message(name, payload)

    def _open(self, connection: Connection, registration: Registration) -> None:
        """Tell the bridge of a registration, which replaces one of the same name and another type."""
        if self.bridge is None:
            return
        table = getattr(connection, registration.table)
        if (previous := table.pop(registration.name, None)) is not None:
            self.bridge.close(connection, registration._replace(type_name=previous))
        try:
            self.bridge.open(connection, registration)
        except BridgeError:
            if self._endpoint.services.get(registration.name) is connection and registration.table == "services":
                del self._endpoint.services[registration.name]
            raise

    def withdraw(self, connection: Connection) -> None:
        """Take everything that a player registered out of the graph: its connection is closed."""
        for name in connection.services:
            if self._endpoint.services.get(name) is connection:
                del self._endpoint.services[name]
        if self.bridge is not None:
            for registration in registrations_of(connection):
                self.bridge.close(connection, registration)

    def _take_service(self, connection: Connection, name: str) -> bool:
        """Make a connection the owner of a service, unless somebody else is."""
        owner = self._endpoint.services.get(name)
        if owner is None or owner is connection:
            self._endpoint.services[name] = connection
            self._contested.discard(name)
            return True
        if name not in self._contested:
            self._contested.add(name)
            logger.warning("%r: player %s offers it, but player %s owns it: refused", name, connection.peer, owner.peer)
        # Closing makes a connector come again in a second: a player whose old connection is dead, which the kernel
        # is about to find out, gets its services back in this way.
        connection.refuse(f"{name!r} is offered by another player, {owner.peer}")
        return False

    def _unregister(self, connection: Connection, command: str, fields: dict[str, Any]) -> None:
        name = _text(fields, "topic")
        type_name = getattr(connection, _TABLES[command]).pop(name, None)
        if type_name is None:
            return
        latched = connection.latched.pop(name, None) if command == "__remove_publisher" else None
        connection.keep(-(REGISTRATION_SIZE + len(name) + len(type_name) + len(latched or b"")))
        if self.bridge is not None:
            self.bridge.close(connection, Registration(_TABLES[command], name, type_name))
        if command == "__remove_unity_service" and self._endpoint.services.get(name) is connection:
            del self._endpoint.services[name]

    def _list_topics(self, connection: Connection, command: str, fields: dict[str, Any]) -> None:
        """Tell the names and types of all topics and, where the reader looks for them, services."""
        topics, services = dict(self._topic_types), {}
        for other in self._endpoint.connections:
            for name, type_name in (*other.publishers.items(), *other.subscribers.items()):
                topics.setdefault(name, type_name)
            services.update(other.services)
        if self.bridge is not None:
            topics |= self.bridge.topics()
            services |= self.bridge.services()
        lists: dict[str, Any] = {}
        for names, types, offered in (("topics", "types", topics), ("services", "service_types", services)):
            lists[names] = sorted(offered)
            lists[types] = [offered[name] for name in lists[names]]
        connection.send(encode_command(command, **lists))

    # Topics and services.

    def _publish_of(self, connection: Connection, topic: str, payload: bytes) -> None:
        if self.bridge is not None:
            try:
                self.bridge.publish(topic, decodable(payload))
            except BridgeError as error:
                connection.error(f"{topic}: {error}")
            return
        if topic in connection.latched:
            previous, connection.latched[topic] = connection.latched[topic], payload
            connection.keep(len(payload) - len(previous or b""))
        self._route(topic, payload)

    def _latched_message(self, topic: str) -> bytes | None:
        """The last message of a latched topic, of this process or of a player that is still connected."""
        for connection in self._endpoint.connections:
            if (payload := connection.latched.get(topic)) is not None:
                return payload
        return self._latched.get(topic)

    def _route(self, topic: str, payload: bytes) -> None:
        for connection in self._endpoint.connections:
            if topic in connection.subscribers:
                connection.send_message(topic, payload)
        for handler in self._local_subscribers.get(topic, ()):
            handler(decodable(payload))

    def _on_ros_request(self, connection: Connection, srv_id: int, frame: Frame) -> None:
        """Answer a player's call of a ROS service: here, or by another player that offers it as a Unity service."""
        service = frame.destination

        def respond(payload: bytes | None, problem: str = "nobody serves it, or whoever does was lost") -> None:
            if payload is None:
                # The protocol has no error reply. A response without a payload fails to deserialize in the caller's
                # await, which is an exception there instead of a wait without end.
                connection.error(f"service {service!r} failed: {problem}")
                payload = b""
            connection.traffic.sent(len(payload))
            connection.send(encode_command("__response", srv_id=srv_id) + encode_frame(service, payload))

        connection.traffic.received(len(frame.payload))
        if service in self._local_services:
            try:
                respond(self._local_services[service](decodable(frame.payload)))
            except Exception:
                logger.exception("service %s failed", service)
                respond(None)
        elif self.bridge is not None:
            self.bridge.call(service, decodable(frame.payload), respond)
        elif (
            (server := self._endpoint.services.get(service)) is not None
            and server is not connection
            and len(server.calls) < self._endpoint.limits.requests
        ):
            self._endpoint.request(server, service, frame.payload, self._endpoint.next_srv_id(), respond)
        else:
            respond(None)


def decodable(payload: bytes) -> bytes:
    """An empty message as ROS can read it: Unity sends only the header, and ROS wants one byte behind it."""
    return payload + b"\0" if len(payload) == 4 else payload


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields[key]
    if not isinstance(value, str):
        raise FrameError(f"{key}: expected a string, found {value!r:.80}")
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
_COMMANDS: Final[dict[str, Callable[[Graph, Connection, str, dict[str, Any]], None]]] = {
    **dict.fromkeys(("__subscribe", "__publish", "__ros_service", "__unity_service"), Graph._register),
    **dict.fromkeys((name for name in _TABLES if name.startswith("__remove")), Graph._unregister),
    **dict.fromkeys(("__request", "__response"), Graph._announce),
    "__topic_list": Graph._list_topics,
    "__token": Graph._accept_token,
}
