"""Quality of service of the topics that cross the endpoint: what is asked for, else what suits the topic."""

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
"""As in ROS's own profile for sensors."""
SENSOR_PACKAGE: Final = "sensor_msgs/"
LATCHED: Final = "/tf_static"


@dataclass(frozen=True)
class TopicQos:
    """Quality of service of one topic.

    Attributes:
        reliability: whether what is lost is sent again.
        durability: whether later subscribers get the last messages.
        depth: messages that ROS keeps.
        waiting: messages that wait for a player which reads too slowly; the newest are kept.
    """

    reliability: Reliability
    durability: Durability
    depth: int
    waiting: int

    def profile(self) -> Any:
        """The same for rclpy."""
        from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

        return QoSProfile(
            depth=self.depth,
            reliability=ReliabilityPolicy[self.reliability.upper()],
            durability=DurabilityPolicy[self.durability.upper()],
        )


class QosRules:
    """What the configuration asks for, and what suits where it says nothing.

    Args:
        rules: settings by topic or pattern, such as `/*/camera`; of those that match, the first counts.
    """

    def __init__(self, rules: Mapping[str, QosConfig]) -> None:
        self._rules = rules

    def publisher(self, registration: Registration) -> TopicQos:
        """How a topic is published: what every subscriber can receive, latched if the player says so."""
        asked = self._asked(registration.name)
        latched = registration.latch or registration.name == LATCHED
        depth = asked.depth or registration.queue_size or DEPTH
        return TopicQos(asked.reliability or "reliable", asked.durability or _durability(latched), depth, depth)

    def subscription(self, node: Node, name: str, type_name: str) -> TopicQos:
        """How a topic is subscribed to: what its publishers offer, and of sensors the newest rather than everything."""
        asked = self._asked(name)
        sensor = type_name.startswith(SENSOR_PACKAGE)
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
