"""ROS services that players call."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from rl_pipeline.ros.serialized import SerializedClient
from rl_pipeline.ros.watched import Watched
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.router import Respond

if TYPE_CHECKING:
    from rclpy.node import Node


class CalledService:
    """A ROS service that players call.

    Args:
        endpoint: server that the players are connected to.
        node: calls the service.
        name: the service's name.
        service_class: its type.
        timeout: seconds within which the service must appear and answer.
    """

    def __init__(self, endpoint: Endpoint, node: Node, name: str, service_class: Any, timeout: float) -> None:
        self._node = node
        self._timeout = timeout
        self._client = node.create_client(service_class, name)
        self._bytes = SerializedClient(self._client)
        self._held: deque[tuple[bytes, Respond, float]] = deque()
        self._outstanding: dict[int, tuple[Respond, float]] = {}
        self._watched = Watched(endpoint, self._client, self._take)

    @property
    def pending(self) -> int:
        """Number of calls that are not answered yet."""
        return len(self._held) + len(self._outstanding)

    @property
    def held(self) -> bool:
        """True while calls wait for the service to appear."""
        return bool(self._held)

    def call(self, payload: bytes, respond: Respond) -> None:
        """Call the service with the request's payload; `respond` is called within the timeout."""
        # Held first: the service may not have been discovered yet.
        self._held.append((payload, respond, time.monotonic() + self._timeout))
        self.send_held()

    def send_held(self) -> None:
        """Send the calls that wait for the service if it is there: DDS loses those that are sent earlier."""
        if not self._held or not self._client.service_is_ready():
            return
        while self._held:
            payload, respond, deadline = self._held.popleft()
            try:
                self._outstanding[self._bytes.send(payload)] = respond, deadline
            except ValueError as error:
                respond(None, f"the request is {error}")

    def expire(self, now: float) -> None:
        """Fail the calls whose deadline (on the monotonic clock, s) has passed."""
        self.send_held()
        # Calls that the service never appeared for.
        while self._held and self._held[0][2] < now:
            _, respond, _ = self._held.popleft()
            respond(None, f"no ROS node offered it within {self._timeout:g} s (ros.endpoint.service_timeout)")
        # Calls without an answer. Dicts keep the order of insertion, which is that of the deadlines.
        while self._outstanding and (oldest := next(iter(self._outstanding.items())))[1][1] < now:
            del self._outstanding[oldest[0]]
            oldest[1][0](None, f"it did not answer within {self._timeout:g} s (ros.endpoint.service_timeout)")

    def close(self) -> None:
        """Stop calling."""
        self._watched.close()
        self._node.destroy_client(self._client)

    def _take(self) -> None:
        response = self._bytes.take()
        if response is None:
            return
        # A response may come after its deadline.
        respond, _ = self._outstanding.pop(response.request_id.sequence_number, (None, 0.0))
        if respond is not None:
            respond(response.payload)
