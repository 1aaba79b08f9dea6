"""Statistics of the endpoint's connections on `/diagnostics`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rl_pipeline.errors import InputError
from rl_pipeline.plurals import plural
from rl_pipeline.ros.message_types import message_class
from rl_pipeline.transport.traffic import PlayerStatistics

if TYPE_CHECKING:
    from rclpy.node import Node

logger = logging.getLogger(__name__)

TOPIC: Final = "/diagnostics"
OLD: Final = 1.0
"""Seconds in a queue after which a player counts as slow."""


class Diagnostics:
    """Publishes a `diagnostic_msgs/DiagnosticArray` with one status for each player, and one for all.

    Without the package diagnostic_msgs nothing is published; one warning says so.

    Args:
        node: publishes.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publisher: Any = None
        try:
            self._array = message_class("diagnostic_msgs/DiagnosticArray")
            self._status = message_class("diagnostic_msgs/DiagnosticStatus")
            self._value = message_class("diagnostic_msgs/KeyValue")
        except InputError as error:
            logger.warning("%s is not published: %s", TOPIC, error)
            return
        self._publisher = node.create_publisher(self._array, TOPIC, 10)

    def publish(self, players: Sequence[PlayerStatistics]) -> None:
        """Publish the statistics of all players."""
        if self._publisher is None:
            return
        # The summary first, then a status for each player.
        array = self._array()
        array.header.stamp = self._node.get_clock().now().to_msg()
        array.status = [self._summarize(players), *(self._describe(player) for player in players)]
        self._publisher.publish(array)

    def _summarize(self, players: Sequence[PlayerStatistics]) -> Any:
        served = sum(bool(player.services) for player in players)
        values = {"connections": len(players), "connections that offer services": served}
        message = f"{len(players)} connected" if players else "no player is connected"
        return self._make_status("players", message, self._status.OK if players else self._status.WARN, values)

    def _describe(self, player: PlayerStatistics) -> Any:
        # A warning for players that lose messages, or are about to.
        rates = player.rates
        slow = player.newly_dropped or player.queue_age > OLD
        dropped = player.newly_dropped
        message = f"reads too slowly: {dropped} {plural(dropped, 'message')} dropped" if slow else "served"
        # Keys as `ros2 topic echo` and rqt show them.
        values = {
            "services": ", ".join(player.services),
            "topics": player.topics,
            "messages in per second": f"{rates.messages_in:.1f}",
            "messages out per second": f"{rates.messages_out:.1f}",
            "bytes in per second": f"{rates.bytes_in:.0f}",
            "bytes out per second": f"{rates.bytes_out:.0f}",
            "unanswered requests": player.unanswered,
            "queue age (s)": f"{player.queue_age:.3f}",
            "dropped messages": player.dropped,
        }
        return self._make_status(player.peer, message, self._status.WARN if slow else self._status.OK, values)

    def _make_status(self, name: str, message: str, level: bytes, values: Mapping[str, object]) -> Any:
        return self._status(
            level=level,
            name=f"{self._node.get_name()}: {name}",
            message=message,
            hardware_id=name,
            values=[self._value(key=key, value=str(value)) for key, value in values.items()],
        )
