"""What players register: topics they publish or want, services they offer or call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

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
