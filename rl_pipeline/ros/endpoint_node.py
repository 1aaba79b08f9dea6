"""The endpoint as a ROS node, with the parameters of Unity's `ros_tcp_endpoint`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from rl_pipeline.config.machine import EndpointConfig
from rl_pipeline.errors import InputError
from rl_pipeline.ros.bridge import RosBridge
from rl_pipeline.ros.diagnostics import Diagnostics
from rl_pipeline.ros.watched import Watched
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.traffic import PlayerStatistics

if TYPE_CHECKING:
    from rclpy.node import Node

NAME: Final = "unity_endpoint"


class EndpointNode:
    """Connects the players of an endpoint with the graph that a ROS node is part of.

    Args:
        endpoint: server of the players; polling it serves the node too.
        node: takes part in ROS; no executor may spin it.
        config: deadlines and quality of service.
    """

    def __init__(self, endpoint: Endpoint, node: Node, config: EndpointConfig) -> None:
        self._bridge = RosBridge(endpoint, node, config)
        self._diagnostics = Diagnostics(node)
        # Services that every node has, such as those of its parameters.
        self._own = [_watch_service(endpoint, service) for service in node.services]

    def __enter__(self) -> EndpointNode:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tend(self) -> float:
        """Do periodic work; return the seconds until it is due again."""
        return self._bridge.tend()

    def look(self, players: Sequence[PlayerStatistics]) -> None:
        """Publish the statistics of the connections."""
        self._diagnostics.publish(players)

    def close(self) -> None:
        """Withdraw everything from ROS; safe to call twice."""
        self._bridge.close_all()
        for service in self._own:
            service.close()
        self._own.clear()


def address_parameters(node: Node, host: str, port: int) -> tuple[str, int]:
    """Return the parameters ROS_IP and ROS_TCP_PORT; their defaults are `host` and `port`.

    Raises:
        InputError: one is not of its type.
    """
    return _parameter(node, "ROS_IP", host), _parameter(node, "ROS_TCP_PORT", port)


def _parameter(node: Node, name: str, default: Any) -> Any:
    if not node.has_parameter(name):
        node.declare_parameter(name, default)
    value = node.get_parameter(name).value
    if type(value) is not type(default):
        raise InputError(
            f"{name}: expected {'text' if isinstance(default, str) else 'a whole number'}, found {value!r}"
        )
    return value


def _watch_service(endpoint: Endpoint, service: Any) -> Watched:
    """Answer a service of the node itself by rclpy's own callback."""

    def take() -> bool:
        request, header = service.handle.service_take_request(service.srv_type.Request) or (None, None)
        if request is None:
            return False
        service.send_response(service.callback(request, service.srv_type.Response()), header)
        return True

    return Watched(endpoint, service, take)
