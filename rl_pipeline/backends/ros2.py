"""The `ros2` backend: players are reached by ROS services, from one node."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Final

from rl_pipeline.backends.ros2_calls import RosServiceCalls
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Lengths, Service
from rl_pipeline.ros.definitions import check_built, check_server
from rl_pipeline.ros.session import RosSession
from rl_pipeline.transport.listening import resolve
from rl_pipeline.transport.response_rows import ResponseCallback

OF_EVERY_NODE: Final = ("rcl_interfaces/", "type_description_interfaces/")
"""Packages of the services that every node has."""
WITHDRAWAL_TIMEOUT: Final = 5.0
"""Seconds in which the services of a player that was ended must leave the graph."""

_numbers = itertools.count(1)


class RosBackend:
    """Finds and calls the services of players in the ROS graph; see transport/backend.py for what each member promises.

    The node is that of this process if it has one (see RosSession.of_process), else one of its own.

    Args:
        host: where the endpoint listens that players connect to.
        port: its port.

    Raises:
        InputError: ROS 2 is not there.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = resolve(host)
        self.port = port
        shared = RosSession.of_process()
        self._session = shared or RosSession(_node_name())
        self._owned = shared is None
        self._types: dict[str, str] | None = None
        self._calls: list[RosServiceCalls] = []

    @property
    def host(self) -> str:
        """Address where the endpoint listens."""
        return self._address.host

    @property
    def reachable(self) -> str:
        """Address of the endpoint for players on this machine."""
        return self._address.reachable

    @property
    def offered(self) -> list[str]:
        """Names of the services in the graph, but for those that every node has."""
        return sorted(
            name
            for name, type_name in self._graph().items()
            if not type_name.startswith(OF_EVERY_NODE) and self._session.node.count_services(name)
        )

    @property
    def hint(self) -> str:
        """The ROS domain that was looked at, for a message about a service that is missing."""
        nodes = sorted(set(self._session.node.get_node_names()) - {self._session.node.get_name()})
        seen = f"nodes seen: {', '.join(nodes[:8])}" if nodes else "no other node is seen"
        return (
            f"; ROS domain {self._session.context.get_domain_id()} was searched ({seen}): is ROS_DOMAIN_ID the same "
            f"for both sides?"
        )

    def type_of(self, service: str) -> str | None:
        """Two-part type of a service in the graph; None: nobody offers it."""
        node = self._session.node
        name = node.resolve_service_name(service)
        # The graph lists what is merely called, too.
        return self._graph().get(name) if node.count_services(name) else None

    def check(self, service: str, type_name: str) -> None:
        """Make sure that whoever offers a service means the same by its type.

        Raises:
            InputError: it is another type, or one of the same name that is defined otherwise.
        """
        if (found := self.type_of(service)) != type_name:
            raise InputError(f"{service}: offered in ROS as {found}, and the task expects {type_name}")
        check_server(self._session.node, self._session.node.resolve_service_name(service), type_name)

    def calls(
        self,
        service: Service,
        names: Sequence[str],
        lengths: Lengths | None = None,
        on_response: ResponseCallback | None = None,
    ) -> RosServiceCalls:
        """The clients of a service of players, by the names of their services.

        Raises:
            InputError: the workspace is not built, or was built from other definitions.
        """
        check_built(service)
        self._calls.append(RosServiceCalls(self._session, service, names, lengths, on_response))
        return self._calls[-1]

    def listen(self, port: int) -> int:
        """The same port: where players connect is the endpoint's to know."""
        return port

    def drop(self, services: Sequence[str], reason: str) -> None:
        """Wait until services of a player that was ended have left the graph, so that they are not taken for new."""
        deadline = time.monotonic() + WITHDRAWAL_TIMEOUT
        while any(self.type_of(service) for service in services) and time.monotonic() < deadline:
            self.poll(0.02)

    def poll(self, timeout: float) -> None:
        """Run callbacks of the node for `timeout` seconds, and look at the graph anew."""
        self._session.spin_until(lambda: False, timeout)
        self._types = None

    def close(self) -> None:
        """End all clients, and the node if it is this backend's own; safe to call twice."""
        while self._calls:
            self._calls.pop().close()
        if self._owned:
            self._session.close()

    def _graph(self) -> dict[str, str]:
        """Two-part type of every service by name, as of the last `poll`."""
        if self._types is None:
            found = self._session.node.get_service_names_and_types()
            self._types = {name: types[0].replace("/srv/", "/") for name, types in found}
        return self._types


def _node_name() -> str:
    """A name that no other node of this process has: nodes of one name would share what they log."""
    number = next(_numbers)
    return "rl_pipeline" if number == 1 else f"rl_pipeline_{number}"
