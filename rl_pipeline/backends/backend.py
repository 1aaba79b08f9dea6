"""Contract of a backend: finds the services of players, sends them requests and receives their responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.config.schema import RosConfig, SimulationConfig
from rl_pipeline.interfaces import Batch, CodecError, Lengths, Service
from rl_pipeline.transport.response_rows import ResponseCallback
from rl_pipeline.transport.timing import ResponseTimes, Stamps


class ServiceCalls(Protocol):
    """One service of N players, called on all of them at once.

    `send` and `receive` alternate; responses stay valid until the next `send`.
    """

    names: list[str]

    @property
    def request(self) -> Batch:
        """The N requests that the next `send` sends; assign to its fields."""
        ...

    def send(self, players: NDArray[np.intp] | None = None) -> None:
        """Send the requests of the given players, shape (M,); None: of all. Skip players that are not connected."""
        ...

    def receive(self, timeout: float) -> list[int]:
        """Wait for the responses, at most `timeout` seconds; return the players that are late."""
        ...

    def responses(self) -> Iterable[tuple[NDArray[np.intp] | slice, Batch]]:
        """Return the responses since `send` as pairs of player indices and a batch of one layout."""
        ...

    def stamps(self) -> Stamps:
        """Return the times at which requests and responses of the last calls were sent and received."""
        ...

    def response_times(self) -> ResponseTimes:
        """Return the times that the players took to answer in the last calls."""
        ...

    @property
    def refused(self) -> dict[int, CodecError]:
        """Errors of responses that could not be decoded, by player; known after `responses`."""
        ...


class Backend(Protocol):
    """Finds and calls the services of players.

    Attributes:
        port: port that players connect to.
    """

    port: int

    @property
    def host(self) -> str:
        """Address that players connect to, as it is listened on."""
        ...

    @property
    def reachable(self) -> str:
        """Address that players on this machine connect to."""
        ...

    @property
    def offered(self) -> list[str]:
        """Names of all services that are offered."""
        ...

    @property
    def hint(self) -> str:
        """End of an error message about a missing service: a clue to the cause, or an empty string."""
        ...

    def type_of(self, service: str) -> str | None:
        """Return the two-part type of an offered service; None if no player offers it."""
        ...

    def check(self, service: str, type_name: str) -> None:
        """Check that an offered service has the given type, defined as here. Raises `InputError`."""
        ...

    def calls(
        self,
        service: Service,
        names: Sequence[str],
        lengths: Lengths | None = None,
        on_response: ResponseCallback | None = None,
    ) -> ServiceCalls:
        """Make the client of one service of N players.

        Args:
            service: type of the service.
            names: name of the service of each player, such as `/navigation_3/step`.
            lengths: elements of the request's sequences and bytes of its strings; those not given are empty.
            on_response: called with each response as soon as it is complete.
        """
        ...

    def listen(self, port: int) -> int:
        """Accept players on one more port, 0 for any free one; return its number."""
        ...

    def drop(self, services: Sequence[str], reason: str) -> None:
        """Disconnect the player that offers these services, and discard its late responses."""
        ...

    def poll(self, timeout: float) -> None:
        """Serve events, waiting at most `timeout` seconds for the first."""
        ...

    def close(self) -> None:
        """Disconnect all players; safe to call twice."""
        ...


class RunningEndpoint(Protocol):
    """A ROS endpoint in a process of its own.

    Attributes:
        port: port that players connect to.
    """

    port: int

    def check(self) -> None:
        """Check that the process runs. Raises `InputError`, with the end of its log, if it has ended."""

    def close(self) -> None:
        """End the process; safe to call twice."""


@dataclass(frozen=True)
class BackendContext:
    """Everything that a backend is opened with.

    Attributes:
        config: settings of the simulation; those of the network are in its `ros`.
        log_directory: folder for logs.
        launch_endpoint: starts a ROS endpoint with an address, port and token, and its log in a folder.
    """

    config: SimulationConfig
    log_directory: Path
    launch_endpoint: Callable[[RosConfig, Path], RunningEndpoint]
