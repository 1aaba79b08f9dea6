"""Topics that cross the endpoint, as bytes: Python makes no objects of messages."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from rclpy.serialization import deserialize_message

from rl_pipeline.ros.qos import QosRules, TopicQos
from rl_pipeline.ros.watched import Watched
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.protocol import PlayerId
from rl_pipeline.transport.router import BridgeError

if TYPE_CHECKING:
    from rclpy.node import Node


class PublishedTopic:
    """A topic that players publish, as one ROS publisher.

    Args:
        node: publishes.
        name: the topic's name.
        message_class: its type.
        qos: quality of service.
    """

    def __init__(self, node: Node, name: str, message_class: Any, qos: TopicQos) -> None:
        self._node = node
        self._class = message_class
        self._checked = False
        self._publisher = node.create_publisher(message_class, name, qos.profile())

    def publish(self, payload: bytes) -> None:
        """Publish a message unchanged.

        Raises:
            BridgeError: the first message is not of the topic's type: a build for ROS 1, or of other definitions.
        """
        # The first message shows a build of other definitions; checking each would cost a deserialization.
        if not self._checked:
            try:
                deserialize_message(payload, self._class)
            except Exception as error:
                raise BridgeError(f"a message is no {self._class.__name__} ({error}); it is not published") from None
            self._checked = True
        self._publisher.publish(payload)

    def close(self) -> None:
        """Withdraw the publisher."""
        self._node.destroy_publisher(self._publisher)


class SubscribedTopic:
    """A topic that players subscribe to, as one ROS subscription; it keeps latched messages for later players.

    Args:
        endpoint: server that the players are connected to.
        node: subscribes.
        name: the topic's name.
        type_name: its type as package/Type.
        message_class: the same as a class.
        rules: quality of service of topics.
    """

    def __init__(
        self, endpoint: Endpoint, node: Node, name: str, type_name: str, message_class: Any, rules: QosRules
    ) -> None:
        self._endpoint = endpoint
        self._node = node
        self._name = name
        self._type_name = type_name
        self._class = message_class
        self._rules = rules
        self._qos = self._wanted_qos()
        self._kept: deque[bytes] = deque(maxlen=self._qos.depth)
        self._subscribe()

    @property
    def waiting(self) -> int:
        """Number of messages that may wait for a player that reads too slowly."""
        return self._qos.waiting

    def catch_up(self, player: PlayerId) -> None:
        """Send the latched messages to a player that subscribes later."""
        connection = self._endpoint.router.connections.get(player)
        if connection is not None:
            for payload in self._kept:
                connection.send_message(self._name, payload)

    def adapt(self) -> None:
        """Subscribe again if the topic's publishers offer a quality of service that the subscription cannot receive."""
        wanted = self._wanted_qos()
        if wanted != self._qos:
            self._unsubscribe()
            self._qos = wanted
            self._subscribe()

    def close(self) -> None:
        """Withdraw the subscription."""
        self._unsubscribe()

    def _wanted_qos(self) -> TopicQos:
        return self._rules.subscription(self._node, self._name, self._type_name)

    def _subscribe(self) -> None:
        self._subscription = self._node.create_subscription(
            self._class, self._name, _refuse_callback, self._qos.profile(), raw=True
        )
        self._watched = Watched(self._endpoint, self._subscription, self._take)

    def _unsubscribe(self) -> None:
        self._watched.close()
        self._node.destroy_subscription(self._subscription)

    def _take(self) -> None:
        taken = self._subscription.handle.take_message(self._class, True)
        if taken is None:
            return
        # Keep it for later subscribers, as a latched publisher does.
        payload = taken[0]
        if self._qos.durability == "transient_local":
            self._kept.append(payload)
        self._endpoint.router.publish(self._name, self._type_name, payload)


def _refuse_callback(message: bytes) -> None:
    """Stand in for the callback that rclpy wants; the endpoint takes messages itself."""
    raise AssertionError("the node must not be in an executor")
