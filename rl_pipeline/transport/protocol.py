"""Server side of the ROS-TCP protocol without sockets: bytes in, events out.

A command is a frame whose destination starts with `__` and whose payload is JSON. `__request` and `__response` announce
the frame behind them; every other frame is a message of the topic that is its destination. Registrations are checked
for form only: whether a service is free, or a topic registered, is decided by the receiver of the events (router.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, NamedTuple, get_args

from rl_pipeline.transport.frames import MAX_DESTINATION, MAX_PAYLOAD, Frame, FrameError, FrameReader, decode_command

MAX_SRV_ID: Final = 2**31 - 1
MAX_TOKEN_PAYLOAD: Final = 1024
"""Bytes of the first frame of a connection that must send a token."""

Table = Literal["services", "publishers", "subscribers", "ros_services"]
TABLES: Final[tuple[Table, ...]] = get_args(Table)


class PlayerId(NamedTuple):
    """Identifies a connection; written as the address of its other end.

    Attributes:
        number: counts the connections of an endpoint, since addresses come again.
        peer: address and port of the other end.
    """

    number: int
    peer: str

    def __str__(self) -> str:
        return self.peer


class Registration(NamedTuple):
    """A topic or service that a player registers.

    Attributes:
        table: services (offered by the player), ros_services (called by it), publishers or subscribers.
        name: the topic or service, as the player spells it.
        type_name: its type as package/Type.
        latch: whether the topic's last message is kept for later subscribers.
        queue_size: messages of the topic that are kept for slow subscribers; 0: not given.
    """

    table: Table
    name: str
    type_name: str
    latch: bool = False
    queue_size: int = 0


class Registered(NamedTuple):
    """A player registers a topic or service; a connector repeats it after each reconnection."""

    command: str
    registration: Registration


class Unregistered(NamedTuple):
    """A player takes back a registration, which it may never have made."""

    table: Table
    name: str


class Published(NamedTuple):
    """A message of a topic, which the player may not have registered."""

    topic: str
    payload: bytes


class RosRequest(NamedTuple):
    """A player calls a ROS service and waits for a response with the same `srv_id`."""

    srv_id: int
    service: str
    payload: bytes


class Response(NamedTuple):
    """A player answers a request of the server; the destination of the frame is not significant."""

    srv_id: int
    destination: str
    payload: bytes


class TopicsRequested(NamedTuple):
    """A player asks for the names and types of all topics."""


class Token(NamedTuple):
    """The first frame of a player that must send a token.

    Attributes:
        sent: whether it is a token at all.
        value: the token; None: another frame came, or no string is in it.
    """

    sent: bool
    value: str | None = None


class Malformed(NamedTuple):
    """A command that cannot be understood; the frames behind it can. `text` is for the player's log."""

    text: str


Event = Registered | Unregistered | Published | RosRequest | Response | TopicsRequested | Token | Malformed

_TABLES: Final[dict[str, Table]] = {
    "__subscribe": "subscribers",
    "__publish": "publishers",
    "__ros_service": "ros_services",
    "__unity_service": "services",
}


class ServerProtocol:
    """Turn the bytes of one connection into events.

    Args:
        needs_token: whether the first frame must be a token. Until `admit` is called every frame is a `Token`.
        max_payload: longest payload in bytes.

    Attributes:
        reader: holds the bytes of an incomplete frame.
        announced: command and srv_id that the next frame belongs to; None: it stands for itself.
    """

    def __init__(self, *, needs_token: bool = False, max_payload: int = MAX_PAYLOAD) -> None:
        self.reader = FrameReader(MAX_TOKEN_PAYLOAD if needs_token else max_payload)
        self.announced: tuple[str, int] | None = None
        self._admitted = not needs_token

    def admit(self, max_payload: int) -> None:
        """Take frames other than tokens from now on, with payloads of at most `max_payload` bytes."""
        self._admitted = True
        self.reader.max_payload = max_payload

    def receive(self, data: bytes | memoryview) -> Iterator[Event]:
        """Take bytes as they were received and yield the events that they complete.

        An event may change how the bytes behind it are read (`admit`), so act on each before asking for the next.

        Raises:
            FrameError: a length is out of bounds; the stream is lost.
        """
        for frame in self.reader.feed(data):
            destination, payload = frame
            if not self._admitted:
                yield _first_token(frame)
            elif self.announced is not None:
                # This is the payload of the command before, even if its destination looks like a command.
                command, srv_id = self.announced
                self.announced = None
                if command == "__response":
                    yield Response(srv_id, destination, payload)
                elif command == "__request":
                    yield RosRequest(srv_id, destination, payload)
            elif not destination.startswith("__"):
                yield Published(destination, payload)
            elif (event := self._command(frame)) is not None:
                yield event

    def _command(self, frame: Frame) -> Event | None:
        """Return the event of a command; None for one that announces the next frame."""
        # An allow-list: no attribute is looked up by a name from the wire.
        handler = _HANDLERS.get(frame.destination)
        if handler is None:
            return Malformed(f"unknown command {frame.destination!r}")
        try:
            return handler(self, frame.destination, decode_command(frame))
        except (FrameError, KeyError) as error:
            if frame.destination in ("__request", "__response"):
                # The payload follows all the same, and is discarded.
                self.announced = ("", 0)
            reason = f"{frame.destination}: missing {error}" if isinstance(error, KeyError) else str(error)
            return Malformed(f"malformed command: {reason}")

    def _announce(self, command: str, fields: dict[str, Any]) -> None:
        # `true` is an int for Python, and 1e400 an infinity.
        srv_id = fields["srv_id"]
        if type(srv_id) is not int or not 0 <= srv_id <= MAX_SRV_ID:
            raise FrameError(f"srv_id: expected a whole number from 0 to {MAX_SRV_ID}, found {srv_id!r:.80}")
        self.announced = (command, srv_id)

    def _register(self, command: str, fields: dict[str, Any]) -> Event:
        # Names go into messages, logs and the ROS graph.
        name, type_name = _text(fields, "topic"), _text(fields, "message_name")
        if not (name and name.isprintable() and len(name) <= MAX_DESTINATION and type_name.count("/") == 1):
            expected = f"{command}: expected a name and a type as package/Type"
            return Malformed(f"{expected}, found {name!r:.80}, {type_name!r:.80}")
        queue_size = fields.get("queue_size")
        return Registered(
            command,
            Registration(
                _TABLES[command],
                name,
                type_name,
                latch=fields.get("latch") is True,
                queue_size=queue_size if type(queue_size) is int else 0,
            ),
        )

    def _unregister(self, command: str, fields: dict[str, Any]) -> Event:
        return Unregistered(_REMOVED[command], _text(fields, "topic"))

    def _list_topics(self, command: str, fields: dict[str, Any]) -> Event:
        return TopicsRequested()

    def _token(self, command: str, fields: dict[str, Any]) -> Event | None:
        # Players of a server without a token may send one.
        return None


def _first_token(frame: Frame) -> Token:
    if frame.destination != "__token":
        return Token(sent=False)
    try:
        token = decode_command(frame).get("token")
    except FrameError:
        token = None
    return Token(sent=True, value=token if isinstance(token, str) else None)


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields[key]
    if not isinstance(value, str):
        raise FrameError(f"{key}: expected a string, found {value!r:.80}")
    return value


_REMOVED: Final[dict[str, Table]] = {
    "__remove_subscriber": "subscribers",
    "__remove_publisher": "publishers",
    "__remove_ros_service": "ros_services",
    "__remove_unity_service": "services",
}
_HANDLERS: Final[dict[str, Callable[[ServerProtocol, str, dict[str, Any]], Event | None]]] = {
    **dict.fromkeys(_TABLES, ServerProtocol._register),
    **dict.fromkeys(_REMOVED, ServerProtocol._unregister),
    "__request": ServerProtocol._announce,
    "__response": ServerProtocol._announce,
    "__topic_list": ServerProtocol._list_topics,
    "__token": ServerProtocol._token,
}
