"""The `direct` backend: players connect to this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from rl_pipeline.backends.backend import BackendContext
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Lengths, Service
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.response_rows import ResponseCallback
from rl_pipeline.transport.service_batch import ServiceBatch


class DirectBackend(Endpoint):
    """An endpoint as the backend of a simulation; see `Backend` for the contract of each member."""

    @classmethod
    def open(cls, context: BackendContext) -> Self:
        """Listen for players on the configured address, and serve them in the background.

        Raises:
            InputError: the address cannot be listened on.
        """
        config = context.config
        ros = config.ros
        backend = cls(
            ros.tcp_ip,
            # With a port for each environment, the simulation asks for them by `listen`.
            None if ros.one_port_per_environment else config.port,
            token=ros.token.get_secret_value() if ros.token is not None else None,
        )
        backend.start()
        return backend

    @property
    def reachable(self) -> str:
        """Address that players on this machine connect to."""
        return self.address.reachable

    @property
    def offered(self) -> list[str]:
        """Names of the services that players offer."""
        return sorted(self.services)

    @property
    def hint(self) -> str:
        """The last connection that was turned away, for a message about a player that does not connect."""
        return f"; turned away: {self.rejections[-1]}" if self.rejections else ""

    def type_of(self, service: str) -> str | None:
        """Return the two-part type of a service; None if no player offers it."""
        owner = self.services.get(service)
        return None if owner is None else owner.services[service]

    def check(self, service: str, type_name: str) -> None:
        """Check that a player offers a service as this type.

        Raises:
            InputError: it offers it as another.
        """
        if (found := self.type_of(service)) != type_name:
            raise InputError(f"{service}: the player offers it as {found}, and the task expects {type_name}")

    def calls(
        self,
        service: Service,
        names: Sequence[str],
        lengths: Lengths | None = None,
        on_response: ResponseCallback | None = None,
    ) -> ServiceBatch:
        """Make the client of a service of players, by the names of their services."""
        return ServiceBatch(self, service, names, lengths, on_response)

    def drop(self, services: Sequence[str], reason: str) -> None:
        """Close the connections of the players that offer these services."""
        # A closed connection takes all its services with it.
        for service in services:
            if (connection := self.services.get(service)) is not None:
                with self.lock:
                    connection.close(reason)
