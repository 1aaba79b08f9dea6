"""The `ros2` backend: one node calls players by ROS services, through the endpoint that they connect to."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Final, Self

from rl_pipeline.backends.backend import BackendContext, RunningEndpoint
from rl_pipeline.backends.ros2_calls import RosServiceCalls
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Lengths, Service
from rl_pipeline.ros.definitions import check_built, check_server
from rl_pipeline.ros.installation import require_interfaces
from rl_pipeline.ros.session import RosSession
from rl_pipeline.transport.listening import resolve
from rl_pipeline.transport.response_rows import ResponseCallback

OF_EVERY_NODE: Final = ("rcl_interfaces/", "type_description_interfaces/")
"""Packages of the services that every node has."""
DISCOVERY_TIME: Final = 0.5
"""Seconds in which the services of other runs are seen, which must not be taken for those of this one."""
WITHDRAWAL_TIMEOUT: Final = 5.0
"""Seconds in which the services of a player that was ended must leave the graph."""

_numbers = itertools.count(1)


def check_ros2(config: SimulationConfig) -> None:
    """Check that ROS 2 is there, the workspace is built, and the settings of the endpoint agree.

    Raises:
        InputError: one of these does not hold.
    """
    require_interfaces()
    if config.ros.launch_endpoint and config.ros.one_port_per_environment:
        raise InputError(
            "ros.one_port_per_environment: the endpoint that is started for backend=ros2 has one port; "
            "set ros.launch_endpoint=false and start one with bash launch_ros_tcp_endpoint.bash"
        )


class RosBackend:
    """Finds and calls the services of players in the ROS graph; see `Backend` for the contract of each member.

    The node is that of this process if it has one (see `RosSession.of_process`), else one of its own.

    Args:
        host: address of the endpoint that players connect to.
        port: its port, if it runs already.
        launch: starts the endpoint, which then ends with this backend; None: it runs already.

    Raises:
        InputError: ROS 2 is not there, or the endpoint cannot be started.
    """

    def __init__(self, host: str, port: int = 0, launch: Callable[[], RunningEndpoint] | None = None) -> None:
        self._address = resolve(host)
        self.port = port
        shared = RosSession.of_process()
        self._session = shared or RosSession(_node_name())
        self._owned = shared is None
        self._types: dict[str, str] | None = None
        self._calls: list[RosServiceCalls] = []
        self._endpoint: RunningEndpoint | None = None
        if launch is not None:
            # Look at the graph first, which has no service of this run yet.
            self.poll(DISCOVERY_TIME)
            self._endpoint = launch()
            self.port = self._endpoint.port

    @classmethod
    def open(cls, context: BackendContext) -> Self:
        """Join the ROS graph, and start the endpoint unless one runs already.

        Raises:
            InputError: ROS 2 is not there, or the endpoint cannot be started.
        """
        ros = context.config.ros
        if not ros.launch_endpoint:
            return cls(ros.tcp_ip, ros.tcp_port)
        settings = ros.model_copy(update={"tcp_port": context.config.port})
        return cls(ros.tcp_ip, launch=lambda: context.launch_endpoint(settings, context.log_directory))

    @property
    def host(self) -> str:
        """Address that the endpoint listens on."""
        return self._address.host

    @property
    def reachable(self) -> str:
        """Address of the endpoint for players on this machine."""
        return self._address.reachable

    @property
    def offered(self) -> list[str]:
        """Names of the services in the graph, except those that every node has."""
        return sorted(
            name
            for name, type_name in self._graph().items()
            if not type_name.startswith(OF_EVERY_NODE) and self._session.node.count_services(name)
        )

    @property
    def hint(self) -> str:
        """The ROS domain and the nodes seen in it, for a message about a service that is missing."""
        nodes = sorted(set(self._session.node.get_node_names()) - {self._session.node.get_name()})
        seen = f"nodes seen: {', '.join(nodes[:8])}" if nodes else "no other node is seen"
        return (
            f"; ROS domain {self._session.context.get_domain_id()} was searched ({seen}): is ROS_DOMAIN_ID the same "
            f"for both sides?"
        )

    def type_of(self, service: str) -> str | None:
        """Return the two-part type of a service in the graph; None if no node offers it."""
        node = self._session.node
        name = node.resolve_service_name(service)
        # The graph lists services that are only called, too.
        return self._graph().get(name) if node.count_services(name) else None

    def check(self, service: str, type_name: str) -> None:
        """Check that a service is offered with the given type, defined as here.

        Raises:
            InputError: it is another type, or one of the same name with another definition.
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
        """Make the client of a service of players, by the names of their services.

        Raises:
            InputError: the workspace is not built, or was built from other definitions.
        """
        # Classes of another definition would decode requests wrongly.
        check_built(service)
        self._calls.append(RosServiceCalls(self._session, service, names, lengths, on_response))
        return self._calls[-1]

    def listen(self, port: int) -> int:
        """Return the same port: the endpoint decides on the ports that players connect to."""
        return port

    def drop(self, services: Sequence[str], reason: str) -> None:
        """Wait until services of a player that was ended have left the graph, so that they are not taken for new."""
        deadline = time.monotonic() + WITHDRAWAL_TIMEOUT
        while any(self.type_of(service) for service in services) and time.monotonic() < deadline:
            self.poll(0.02)

    def poll(self, timeout: float) -> None:
        """Run callbacks of the node for `timeout` seconds, and forget the types of services seen before.

        Raises:
            InputError: the endpoint that was started for this backend has ended.
        """
        self._session.spin_until(lambda: False, timeout)
        self._types = None
        if self._endpoint is not None:
            self._endpoint.check()

    def close(self) -> None:
        """Close all clients, the node if it is this backend's own, and the endpoint; safe to call twice."""
        # Clients before their node, and the endpoint last, so that it sees them leave.
        while self._calls:
            self._calls.pop().close()
        if self._owned:
            self._session.close()
        if self._endpoint is not None:
            self._endpoint.close()

    def _graph(self) -> dict[str, str]:
        """Return the two-part type of every service by name, as of the last `poll`."""
        if self._types is None:
            found = self._session.node.get_service_names_and_types()
            self._types = {name: types[0].replace("/srv/", "/") for name, types in found}
        return self._types


def _node_name() -> str:
    """Return a name that no other node of this process has: nodes of one name would share their logs."""
    number = next(_numbers)
    return "rl_pipeline" if number == 1 else f"rl_pipeline_{number}"
