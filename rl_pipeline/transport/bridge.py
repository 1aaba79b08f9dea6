"""What an endpoint asks of a ROS graph behind it. Without one, players have only each other and this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rl_pipeline.transport.connection import Connection
    from rl_pipeline.transport.protocol import Registration


class BridgeError(Exception):
    """The ROS graph does not take a registration or a message; the text says why, for the player."""


class Respond(Protocol):
    """Answers a player's call of a ROS service."""

    def __call__(self, payload: bytes | None, problem: str = ...) -> None:
        """Send the response's payload; None when there is none, and then `problem` says why."""


class Bridge(Protocol):
    """A ROS graph, as the endpoint sees it. Everything is called with the endpoint's lock held."""

    def open(self, connection: Connection, registration: Registration) -> None:
        """Take part in a topic or service for a player.

        Raises:
            BridgeError: the name or the type cannot be used.
        """

    def close(self, connection: Connection, registration: Registration) -> None:
        """Undo `open`; what no other player has opened is withdrawn from the ROS graph."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a player's message. Players that subscribe to the topic get it from the ROS graph, as all do.

        Raises:
            BridgeError: the message is not of the topic's type.
        """

    def call(self, service: str, payload: bytes, respond: Respond) -> None:
        """Call a ROS service for a player; `respond` is called in any case, within a deadline."""

    def topics(self) -> dict[str, str]:
        """Names and types (as package/Type) of all topics of the graph."""

    def services(self) -> dict[str, str]:
        """Names and types of all services of the graph."""
