"""Bridge between an endpoint and the ROS graph: registrations of players take part in it while they are connected."""

from __future__ import annotations

import importlib.machinery
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rl_pipeline.config.machine import EndpointConfig
from rl_pipeline.errors import InputError
from rl_pipeline.ros.bridged_topics import PublishedTopic, SubscribedTopic
from rl_pipeline.ros.called_service import CalledService
from rl_pipeline.ros.message_types import message_class, service_class
from rl_pipeline.ros.offered_service import OfferedService
from rl_pipeline.ros.qos import QosRules
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.protocol import PlayerId, Registration
from rl_pipeline.transport.router import BridgeError, Respond

if TYPE_CHECKING:
    from rclpy.node import Node

ADAPTION_PERIOD: Final = 1.0
"""Seconds between two checks of the quality of service that publishers of subscribed topics offer."""
HELD_PERIOD: Final = 0.05
"""Seconds between two searches for a missing service that a player calls, or for the lost player of a service."""
DEADLINE_PERIOD: Final = 0.25
"""Seconds between two checks of deadlines, while a call is unanswered."""


class RosBridge:
    """Carries topics and services between the players of an endpoint and the graph of a ROS node.

    Several players may publish, subscribe to or call the same name; a service is offered by one player. All work is
    done in the thread that polls the endpoint, which also calls `tend`.

    Args:
        endpoint: server of the players; its router gets this bridge.
        node: takes part in ROS; no executor may spin it.
        config: deadlines and quality of service.
    """

    def __init__(self, endpoint: Endpoint, node: Node, config: EndpointConfig) -> None:
        self._endpoint = endpoint
        self._node = node
        self._timeout = config.service_timeout
        self._rules = QosRules(config.qos)
        # ROS entities by name, in the tables that registrations name, and the players that use each.
        self._publishers: dict[str, PublishedTopic] = {}
        self._subscribers: dict[str, SubscribedTopic] = {}
        self._called: dict[str, CalledService] = {}
        self._offered: dict[str, OfferedService] = {}
        self._tables: dict[str, dict[str, Any]] = {
            "publishers": self._publishers,
            "subscribers": self._subscribers,
            "ros_services": self._called,
            "services": self._offered,
        }
        self._users: dict[tuple[str, str], dict[PlayerId, str]] = {}
        self._next_adaption = 0.0
        self._tended = 0.0
        endpoint.router.bridge = self

    def open(self, player: PlayerId, registration: Registration) -> None:
        """Take part in a topic or service for a player; see `Bridge`."""
        # All players must mean the same type by a name.
        table, name = self._tables[registration.table], registration.name
        users = self._users.setdefault((registration.table, name), {})
        if (known := next(iter(users.values()), registration.type_name)) != registration.type_name:
            raise BridgeError(f"another player has {name!r} as {known}, not as {registration.type_name}")
        # A player that has come back continues with its service, unless the type has changed.
        left = self._offered.get(name) if registration.table == "services" else None
        if left is not None and not left.resume(player, registration):
            self._offered.pop(name).close()
        # The first player makes the topic or service in ROS; a later subscriber gets latched messages.
        if name not in table:
            table[name] = self._make(player, registration)
        elif registration.table == "subscribers":
            self._subscribers[name].catch_up(player)
        if registration.table == "subscribers":
            connection = self._endpoint.router.connections.get(player)
            if connection is not None:  # it may have closed while it was sent latched messages
                connection.depths[name] = self._subscribers[name].waiting
        users[player] = registration.type_name

    def close(self, player: PlayerId, registration: Registration) -> None:
        """Undo `open`; see `Bridge`."""
        users = self._users.get((registration.table, registration.name), {})
        # The last player withdraws it; a service stays a while for a player that comes back.
        if users.pop(player, None) is not None and not users:
            del self._users[registration.table, registration.name]
            if registration.table == "services":
                self._offered[registration.name].leave()
            else:
                self._tables[registration.table].pop(registration.name).close()

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a player's message; see `Bridge`."""
        self._publishers[topic].publish(payload)

    def call(self, service: str, payload: bytes, respond: Respond) -> None:
        """Call a ROS service for a player; see `Bridge`."""
        if service in self._called:
            self._called[service].call(payload, respond)
        else:
            respond(None, "it was not registered by __ros_service")

    def topics(self) -> dict[str, str]:
        """Return names and types of all topics of the graph."""
        return _two_part_types(self._node.get_topic_names_and_types())

    def services(self) -> dict[str, str]:
        """Return names and types of the services offered in the graph."""
        # The graph lists services that are only called, too.
        listed = self._node.get_service_names_and_types()
        return _two_part_types([each for each in listed if self._node.count_services(each[0])])

    def tend(self) -> float:
        """Do periodic work; return the seconds until it is due again."""
        now = time.monotonic()
        if (wait := self._tended + HELD_PERIOD - now) > 0:  # called after every message
            return wait
        self._tended = now
        # Publishers may have come that offer another quality of service.
        if now >= self._next_adaption:
            self._next_adaption = now + ADAPTION_PERIOD
            for topic in self._subscribers.values():
                topic.adapt()
        # Services of players that did not come back, and deadlines of calls.
        for name in [name for name, service in self._offered.items() if service.is_over(now)]:
            self._offered.pop(name).close()
        services: list[OfferedService | CalledService] = [*self._offered.values(), *self._called.values()]
        for service in services:
            if service.pending:
                service.expire(now)
        if any(service.held for service in services):
            return HELD_PERIOD
        return DEADLINE_PERIOD if any(service.pending for service in services) else ADAPTION_PERIOD

    def close_all(self) -> None:
        """Withdraw everything from ROS."""
        self._endpoint.router.bridge = None
        # Also services that wait for a player to come back.
        for table in self._tables.values():
            for bridged in table.values():
                bridged.close()
            table.clear()
        self._users.clear()

    def _make(self, player: PlayerId, registration: Registration) -> Any:
        """Make the ROS entity of a registration.

        Raises:
            BridgeError: ROS does not take its name, or its type is not installed.
        """
        name, type_name, node = registration.name, _check_installed(registration), self._node
        try:
            match registration.table:
                case "publishers":
                    return PublishedTopic(node, name, message_class(type_name), self._rules.publisher(registration))
                case "subscribers":
                    type_class = message_class(type_name)
                    return SubscribedTopic(self._endpoint, node, name, type_name, type_class, self._rules)
                case "ros_services":
                    return CalledService(self._endpoint, node, name, service_class(type_name), self._timeout)
                case _:
                    return OfferedService(self._endpoint, node, player, registration, self._timeout)
        except InputError as error:
            raise BridgeError(str(error)) from None
        except ValueError as error:  # raised by rclpy for an invalid name
            raise BridgeError(
                f"{registration.name!r} is no name that ROS takes: {str(error).splitlines()[0]}"
            ) from None


def _check_installed(registration: Registration) -> str:
    """Return the type's name if its package holds interfaces: a player must not have any other module imported.

    Raises:
        BridgeError: it does not.
    """
    type_name = registration.type_name
    package = type_name.partition("/")[0]
    if re.fullmatch(r"[a-z][a-z0-9_]*", package) and (spec := importlib.machinery.PathFinder.find_spec(package)):
        for folder in spec.submodule_search_locations or ():
            if any(Path(folder).glob(f"{package}_s__rosidl_typesupport_*")):
                return type_name
    raise BridgeError(f"{type_name}: no ROS package {package!r} with interfaces is installed")


def _two_part_types(listed: Sequence[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """Return names with their types as connectors spell them, package/Type."""
    return {name: f"{types[0].split('/')[0]}/{types[0].split('/')[-1]}" for name, types in listed}
