"""Quality of service of the topics that cross the endpoint: configured, or chosen to suit the topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from rl_pipeline.config.machine import Durability, QosConfig, Reliability
from rl_pipeline.transport.protocol import Registration

if TYPE_CHECKING:
    from rclpy.node import Node

DEPTH: Final = 10
SENSOR_DEPTH: Final = 5
"""Depth of ROS's own profile for sensors."""
SENSOR_PACKAGE: Final = "sensor_msgs/"
LATCHED: Final = "/tf_static"


@dataclass(frozen=True)
class TopicQos:
    """Quality of service of one topic.

    Attributes:
        reliability: reliable: lost messages are sent again; or best_effort.
        durability: transient_local: later subscribers get the last messages; or volatile.
        depth: messages that ROS keeps.
        waiting: messages that may wait for a player that reads too slowly; the newest are kept.
    """

    reliability: Reliability
    durability: Durability
    depth: int
    waiting: int

    def profile(self) -> Any:
        """Return the same as a profile of rclpy."""
        from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

        return QoSProfile(
            depth=self.depth,
            reliability=ReliabilityPolicy[self.reliability.upper()],
            durability=DurabilityPolicy[self.durability.upper()],
        )


class QosRules:
    """Configured quality of service, and defaults that suit the topic.

    Args:
        rules: settings by topic or pattern, such as `/*/camera`; the first match counts.
    """

    def __init__(self, rules: Mapping[str, QosConfig]) -> None:
        self._rules = rules

    def publisher(self, registration: Registration) -> TopicQos:
        """Choose for a published topic: receivable by every subscriber, latched if the player asks for it."""
        # The configuration wins over the player, and the player over the defaults.
        asked = self._asked(registration.name)
        latched = registration.latch or registration.name == LATCHED
        depth = asked.depth or registration.queue_size or DEPTH
        return TopicQos(asked.reliability or "reliable", asked.durability or _durability(latched), depth, depth)

    def subscription(self, node: Node, name: str, type_name: str) -> TopicQos:
        """Choose for a subscribed topic: the quality that its publishers offer; of sensors only the newest messages."""
        asked = self._asked(name)
        sensor = type_name.startswith(SENSOR_PACKAGE)
        # A subscriber that asks for more than a publisher offers receives nothing.
        offered = [_names(publisher.qos_profile) for publisher in node.get_publishers_info_by_topic(name)]
        reliable = not sensor and all(reliability == "RELIABLE" for reliability, _ in offered)
        latched = all(durability == "TRANSIENT_LOCAL" for _, durability in offered) if offered else name == LATCHED
        return TopicQos(
            asked.reliability or ("reliable" if reliable else "best_effort"),
            asked.durability or _durability(latched),
            asked.depth or (SENSOR_DEPTH if sensor else DEPTH),
            asked.depth or (1 if sensor else DEPTH),
        )

    def _asked(self, name: str) -> QosConfig:
        return next((qos for pattern, qos in self._rules.items() if fnmatchcase(name, pattern)), QosConfig())


def _durability(latched: bool) -> Durability:
    return "transient_local" if latched else "volatile"


def _names(profile: Any) -> tuple[str, str]:
    return profile.reliability.name, profile.durability.name
