"""What players do to each other and to this process through the endpoint: topics, ROS services, and all commands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.frames import Frame, FrameError, decode_command, encode_command, encode_frame

if TYPE_CHECKING:
    from rl_pipeline.transport.endpoint import Endpoint

logger = logging.getLogger(__name__)

ServiceHandler = Callable[[bytes], bytes]
MessageHandler = Callable[[bytes], None]


class Graph:
    """Takes every frame of every player and does what it says.

    Commands are dispatched by an allow-list. A command that cannot be understood costs its sender one error, and
    nothing else: frames still begin where they should.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._local_services: dict[str, ServiceHandler] = {}
        self._local_subscribers: dict[str, list[MessageHandler]] = {}
        self._latched: dict[str, bytes] = {}
        self._topic_types: dict[str, str] = {}

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
            self._route(topic, payload, latch)

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
        if table.get(name) == type_name and (
            command != "__unity_service" or self._endpoint.services.get(name) is connection
        ):
            return
        table[name] = type_name
        if command == "__unity_service":
            previous = self._endpoint.services.get(name)
            if previous is not None and previous is not connection:
                logger.warning("%s: player %s takes over from %s", name, connection.peer, previous.peer)
            self._endpoint.services[name] = connection
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
        if command == "__remove_unity_service" and self._endpoint.services.get(name) is connection:
            del self._endpoint.services[name]

    def _list_topics(self, connection: Connection, command: str, fields: dict[str, Any]) -> None:
        topics = sorted(self._topic_types.items())
        connection.send(
            encode_command(command, topics=[name for name, _ in topics], types=[type_name for _, type_name in topics])
        )

    # Topics and services.

    def _route(self, topic: str, payload: bytes, latch: bool) -> None:
        if latch:
            self._latched[topic] = payload
        for connection in self._endpoint.connections:
            if topic in connection.subscribers:
                connection.send_message(topic, payload)
        for handler in self._local_subscribers.get(topic, ()):
            handler(_decodable(payload))

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
                respond(self._local_services[service](_decodable(frame.payload)))
            except Exception:
                logger.exception("service %s failed", service)
                respond(None)
        elif (server := self._endpoint.services.get(service)) is not None and server is not connection:
            self._endpoint.request(server, service, frame.payload, self._endpoint.next_srv_id(), respond)
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
_COMMANDS: Final[dict[str, Callable[[Graph, Connection, str, dict[str, Any]], None]]] = {
    **dict.fromkeys(("__subscribe", "__publish", "__ros_service", "__unity_service"), Graph._register),
    **dict.fromkeys((name for name in _TABLES if name.startswith("__remove")), Graph._unregister),
    **dict.fromkeys(("__request", "__response"), Graph._announce),
    "__topic_list": Graph._list_topics,
}
