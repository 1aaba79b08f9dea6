"""Batched service calls by ROS: one service of many players, called by clients of one node."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch, CodecError, Lengths, Service
from rl_pipeline.interfaces.optional_fields import has_field
from rl_pipeline.ros.message_types import service_class
from rl_pipeline.ros.serialized import SerializedClient
from rl_pipeline.ros.session import RosSession
from rl_pipeline.ros.watched import Poller, Watched
from rl_pipeline.transport.response_rows import ResponseCallback
from rl_pipeline.transport.timing import ResponseLog, ResponseTimes, Stamps

DISCOVERY_TIMEOUT: Final = 2.0
"""Seconds that a service in the graph may take until requests reach it."""
GONE_CHECK_PERIOD: Final = 0.25
"""Seconds between two checks that the players waited for are still there."""


class RosServiceCalls:
    """Clients of one service on N players; see `ServiceCalls` for the contract of each member.

    Requests and responses are the codec's arrays, as in other backends, and cross rcl as bytes. All requests are under
    way at once. A player whose service leaves the graph is not waited for.

    Args:
        session: the node, which runs while `receive` waits.
        service: type of the service.
        names: name of the service of each player.
        lengths: elements of the request's sequences and bytes of its strings; those not given are empty.
        on_response: called with each response as soon as it is complete.

    Raises:
        InputError: the type's package is not built.
    """

    def __init__(
        self,
        session: RosSession,
        service: Service,
        names: Sequence[str],
        lengths: Lengths | None = None,
        on_response: ResponseCallback | None = None,
    ) -> None:
        from rclpy.node import Node

        self.names = list(names)
        self.refused: dict[int, CodecError] = {}
        self._session = session
        self._on_response = on_response
        # A node that no executor spins: its clients are polled and read without making objects of responses.
        self._node = Node(
            f"{session.node.get_name()}_calls",
            context=session.context,
            namespace=session.node.get_namespace(),
            enable_rosout=False,
            start_parameter_services=False,
        )
        # One client a player, and the descriptors that make responses known.
        service_type = service_class(service.name)
        self._clients = [self._node.create_client(service_type, name) for name in names]
        self._bytes = [SerializedClient(client) for client in self._clients]
        self._poller = Poller()
        self._watched = [
            Watched(self._poller, client, partial(self._take, index)) for index, client in enumerate(self._clients)
        ]
        # Memory of the requests, and the calls in progress.
        self._request = service.request.layout(lengths).empty(len(self.names))
        self._stamped = has_field(service.request.struct, "request_sent")
        self._codec = service.response
        self._waiting: dict[int, int] = {}
        self._payloads: dict[int, bytes] = {}
        self._log = ResponseLog(len(self.names))
        self._answers: tuple[list[int], list[float]] = ([], [])

    @property
    def request(self) -> Batch:
        """The N requests that the next `send` sends; assign to their fields."""
        return self._request

    def send(self, players: NDArray[np.intp] | None = None) -> None:
        """Send the requests of the given players (default: all), stamped with the time of the node's clock.

        A player whose service is missing is not asked, and is missing from the responses.
        """
        # Responses of the call before are forgotten.
        indices = range(len(self.names)) if players is None else players.tolist()
        ready = [index for index in indices if self._is_ready(index)]
        self._payloads.clear()
        self.refused.clear()
        # Stamp and send.
        if self._stamped:
            seconds, nanoseconds = divmod(self._session.node.get_clock().now().nanoseconds, 1_000_000_000)
            self._request["request_sent.sec"][:] = seconds
            self._request["request_sent.nanosec"][:] = nanoseconds
        self._answers = self._log.begin(time.perf_counter())
        for index in ready:
            self._waiting[index] = self._bytes[index].send(self._request.bytes(index))

    def receive(self, timeout: float) -> list[int]:
        """Wait until every player that was asked has answered or is gone, at most `timeout` seconds.

        Returns:
            The players that did not answer in time; their late responses are discarded.
        """
        deadline = time.monotonic() + timeout
        self._session.executor.spin_once(timeout_sec=0)
        while self._waiting and (remaining := deadline - time.monotonic()) > 0:
            # In a pause, let the node's own callbacks run, and give up players that have left the graph.
            if not self._poller.poll(min(remaining, GONE_CHECK_PERIOD)):
                self._session.executor.spin_once(timeout_sec=0)
                gone = [index for index in self._waiting if not self._clients[index].service_is_ready()]
                for index in gone:
                    del self._waiting[index]
        late = sorted(self._waiting)
        self._waiting.clear()
        return late

    def close(self) -> None:
        """Withdraw the clients; safe to call twice."""
        # Descriptors before the clients that write to them.
        while self._watched:
            self._watched.pop().close()
        self._poller.close()
        self._node.destroy_node()

    def responses(self) -> Iterator[tuple[NDArray[np.intp] | slice, Batch]]:
        """Yield the responses since `send`, as pairs of player indices and a batch of one layout."""
        # Responses of one size are usually of one layout; else each is a batch.
        by_size: dict[int, list[int]] = {}
        for index in sorted(self._payloads):
            by_size.setdefault(len(self._payloads[index]), []).append(index)
        for players in by_size.values():
            rows = _rows([self._payloads[index] for index in players])
            if (batch := self._decode(rows, players)) is not None:
                yield self._log_stamps(players, batch)
                continue
            for row, index in enumerate(players):
                if (single := self._decode(rows[row : row + 1], [index])) is not None:
                    yield self._log_stamps([index], single)

    def stamps(self) -> Stamps:
        """Return the times at which requests and responses of the last calls were sent and received."""
        return self._log.stamps()

    def response_times(self) -> ResponseTimes:
        """Return the times that the players took to answer in the last calls."""
        return self._log.summary()

    def _log_stamps(self, players: list[int], batch: Batch) -> tuple[NDArray[np.intp], Batch]:
        """Log the stamps of responses, and return their players and them."""
        indices = np.array(players)
        self._log.keep_stamps(indices, batch)
        return indices, batch

    def _decode(self, rows: NDArray[np.uint8], players: list[int]) -> Batch | None:
        """Return rows of one layout as a batch; None if they differ in it, or the only one is refused."""
        try:
            layout = self._codec.layout_of(rows[0])
        except CodecError as error:
            if len(players) == 1:
                self.refused[players[0]] = error
            return None
        return layout.view(rows) if layout.matches(rows) else None

    def _take(self, index: int) -> None:
        """Take a response of a player's client; discard it if its call is over."""
        response = self._bytes[index].take()
        if response is None:
            return
        # Numbers tell the response to this call from late ones.
        if self._waiting.get(index) == response.request_id.sequence_number:
            del self._waiting[index]
            self._payloads[index] = response.payload
            if self._on_response is not None:
                self._on_response(index, response.payload)
            self._answers[0].append(index)
            self._answers[1].append(time.perf_counter())

    def _is_ready(self, index: int) -> bool:
        """Return whether requests reach a player; wait for one that has just been discovered."""
        # The usual case costs one call of rcl.
        client = self._clients[index]
        if client.service_is_ready():
            return True
        found = self._session.node.count_services(client.service_name)
        return bool(found) and self._session.spin_until(client.service_is_ready, DISCOVERY_TIMEOUT)


def _rows(payloads: list[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(bytearray().join(payloads), np.uint8).reshape(len(payloads), -1)
