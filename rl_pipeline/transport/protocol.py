"""What players register: topics they publish or want, services they offer or call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from rl_pipeline.transport.connection import Connection


class Registration(NamedTuple):
    """What a player registered: a row of one of its connection's tables.

    Attributes:
        table: subscribers, publishers, ros_services or services.
        name: the topic or service, as the player spells it.
        type_name: its type as package/Type.
        latch: whether the topic's last message is kept for later subscribers.
        queue_size: messages of the topic that are kept for slow ones.
    """

    table: str
    name: str
    type_name: str
    latch: bool = False
    queue_size: int = 0


def registrations_of(connection: Connection) -> Iterator[Registration]:
    """All that a player has registered."""
    for table in ("services", "publishers", "subscribers", "ros_services"):
        for name, type_name in getattr(connection, table).items():
            yield Registration(table, name, type_name)


class ResponseSlot(Protocol):
    """Where the response to an outstanding batched request goes.

    A slot that knows what the next response looks like lends its memory to `recv_into`, so that the payload lands
    where it is decoded. Whatever else arrives there is handed back as `spilled` and cut into frames as usual.
    """

    srv_id: int

    def free(self) -> memoryview | None:
        """Memory that the next bytes may be received into; None when the slot does not know what will come."""

    def received(self, size: int) -> memoryview | None:
        """Count bytes received into `free()`; returns them all back when they are not the expected response."""

    def complete(self, destination: str, payload: bytes) -> None:
        """Take a response that was cut from the stream as an ordinary frame."""

    def fail(self) -> None:
        """The connection is gone, and no response will come."""
