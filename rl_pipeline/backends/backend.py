"""What a backend is: a way for requests to reach players, and for their responses to come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch, CodecError, Lengths, Service
from rl_pipeline.transport.response_rows import ResponseCallback
from rl_pipeline.transport.timing import ResponseTimes, Stamps


class ServiceCalls(Protocol):
    """One service of N players, called on all of them at once; see ServiceBatch for what each member promises."""

    names: list[str]

    @property
    def request(self) -> Batch:
        """The N requests that the next `send` sends."""
        ...

    def send(self, players: NDArray[np.intp] | None = None) -> None:
        """Send the requests of the given players; None: of all."""
        ...

    def receive(self, timeout: float) -> list[int]:
        """Wait for the responses, at most `timeout` seconds; returns the players that are late."""
        ...

    def responses(self) -> Iterable[tuple[NDArray[np.intp] | slice, Batch]]:
        """What arrived since `send`, as pairs of player indices and their responses."""
        ...

    def stamps(self) -> Stamps:
        """When requests and responses of the last calls were sent and received."""
        ...

    def response_times(self) -> ResponseTimes:
        """How long the players took to answer in the last calls."""
        ...

    @property
    def refused(self) -> dict[int, CodecError]:
        """What is wrong with the responses that could not be decoded, by player."""
        ...


class Backend(Protocol):
    """How the services of players are found and called.

    Attributes:
        port: where players connect.
    """

    port: int

    @property
    def host(self) -> str:
        """Address where players connect, as it is listened on."""
        ...

    @property
    def reachable(self) -> str:
        """The same as players on this machine reach it."""
        ...

    @property
    def offered(self) -> list[str]:
        """Names of all services that are offered."""
        ...

    @property
    def hint(self) -> str:
        """The end of a message about a service that is missing: what was seen instead, or what may help."""
        ...

    def type_of(self, service: str) -> str | None:
        """Two-part type of an offered service; None: nobody offers it."""
        ...

    def check(self, service: str, type_name: str) -> None:
        """Make sure that an offered service means the same by its type as this side. Raises `InputError`."""
        ...

    def calls(
        self,
        service: Service,
        names: Sequence[str],
        lengths: Lengths | None = None,
        on_response: ResponseCallback | None = None,
    ) -> ServiceCalls:
        """The client of a service of players, by the names of their services.

        `on_response` is called with each response as soon as it is complete.
        """
        ...

    def listen(self, port: int) -> int:
        """Have players connect on one more port, 0 for any free one; returns its number."""
        ...

    def drop(self, services: Sequence[str], reason: str) -> None:
        """Part with the player that offers these services, so that what it still answers is nobody's."""
        ...

    def poll(self, timeout: float) -> None:
        """Serve what is due, waiting at most `timeout` seconds for something to come."""
        ...

    def close(self) -> None:
        """Part with all players; safe to call twice."""
        ...
