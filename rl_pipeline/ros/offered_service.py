"""Services of players, offered to the ROS graph."""

from __future__ import annotations

import logging
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rclpy.serialization import serialize_message

from rl_pipeline.ros.message_types import service_class
from rl_pipeline.ros.serialized import RequestId, SerializedService
from rl_pipeline.ros.watched import Watched
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.protocol import PlayerId, Registration
from rl_pipeline.transport.router import decodable

if TYPE_CHECKING:
    from rclpy.node import Node

logger = logging.getLogger(__name__)

LOST: Final = "the player was lost"
DELIVERY_TIME: Final = 0.1
"""Seconds for which a service stays after its last answers; with the service, DDS forgets answers on their way."""
RETURN_TIME: Final = 0.5
"""Seconds for which the service of a player that has left takes requests, and within which it may come back.

A client that calls a service while another takes its place may have found only the one that goes, and DDS drops such a
request without a word. A player that connects again therefore continues with the same service.
"""
MAX_OUTSTANDING: Final = 10
"""Requests that a connector queues for one service; with one more, it loses the order of its answers."""
REACH_TIME: Final = 5.0
"""Seconds within which a client that has asked must be reachable for its answer.

DDS matches the two directions of a service one after the other, so that a request may come before there is a way back
for its answer. On a busy machine that takes longer than the tenth of a second for which the middleware itself waits.
"""
RETRY_PERIOD: Final = 0.25
"""Seconds between two attempts; each blocks the endpoint for a tenth of a second."""


class OfferedService:
    """A player's service as a ROS service.

    Any number of requests are taken; the player is sent as many at a time as it can queue. Each ends within the
    timeout. ROS has no error reply: a call that fails gets `success: false` and a message where its response has these
    fields, as those of std_srvs have, and no answer otherwise.

    Args:
        endpoint: server that the player is connected to.
        node: offers the service.
        player: offers it over there.
        registration: the service's name and type.
        timeout: seconds that the player may take to answer.
    """

    def __init__(
        self, endpoint: Endpoint, node: Node, player: PlayerId, registration: Registration, timeout: float
    ) -> None:
        self._router = endpoint.router
        self._node = node
        self._player = player
        self._name = registration.name
        self._type_name = registration.type_name
        self._timeout = timeout
        # Requests that wait for the player, and those that it was sent, with their deadlines.
        self._returns_by: float | None = None
        self._waiting: deque[tuple[RequestId, bytes, float]] = deque()
        self._outstanding: dict[int, tuple[RequestId, float]] = {}
        # The ROS service, polled by the endpoint instead of an executor.
        type_class = service_class(self._type_name)
        self._response = type_class.Response
        self._service = node.create_service(type_class, self._name, _refuse_callback)
        self._bytes = SerializedService(self._service)
        self._answers = Answers(self._name, self._bytes)
        self._watched = Watched(endpoint, self._service, self._take)

    @property
    def pending(self) -> int:
        """Number of requests whose answer has not been sent yet."""
        return len(self._waiting) + len(self._outstanding) + len(self._answers)

    @property
    def held(self) -> bool:
        """True while the player has left and may come back."""
        return self._returns_by is not None

    def expire(self, now: float) -> None:
        """Fail the requests whose deadline (on the monotonic clock, s) has passed, and deliver held answers."""
        self._answers.send_again(now)
        # Requests that the player was not sent: it is gone, or has too many before them.
        if self._returns_by is not None and self._returns_by < now:
            self._fail_waiting()
        while self._waiting and self._waiting[0][2] < now:
            self._fail(self._waiting.popleft()[0], self._late())
        # Requests that it has not answered. Dicts keep the order of insertion, which is that of the deadlines.
        while self._outstanding and (oldest := next(iter(self._outstanding.items())))[1][1] < now:
            srv_id, (request_id, _) = oldest
            del self._outstanding[srv_id]
            if (connection := self._router.connections.get(self._player)) is not None:
                connection.calls.pop(srv_id, None)
            self._fail(request_id, self._late())
        self._send()

    def leave(self) -> None:
        """Fail the requests that the player was sent: it has left. The others wait for RETURN_TIME."""
        self._returns_by = time.monotonic() + RETURN_TIME
        self._fail_outstanding()

    def resume(self, player: PlayerId, registration: Registration) -> bool:
        """Continue with the player that offers the service now; return whether it has the same type."""
        if registration.type_name != self._type_name:
            return False
        self._player = player
        self._returns_by = None
        self._send()
        return True

    def is_over(self, now: float) -> bool:
        """Return whether the player has left for good at a time (monotonic clock, s), and callers know it."""
        return self._returns_by is not None and self._returns_by + DELIVERY_TIME < now

    def close(self) -> None:
        """Fail all requests and withdraw the service."""
        self._fail_outstanding()
        self._fail_waiting()
        self._watched.close()
        self._node.destroy_service(self._service)

    def _take(self) -> None:
        request = self._bytes.take()
        if request is None:
            return
        self._waiting.append((*request, time.monotonic() + self._timeout))
        self._send()

    def _send(self) -> None:
        """Send the player as many waiting requests as it can queue."""
        while self._waiting and len(self._outstanding) < MAX_OUTSTANDING and not self.held:
            connection = self._router.connections.get(self._player)
            if connection is None or not connection.open:
                return
            request_id, payload, deadline = self._waiting.popleft()
            if not connection.is_player:
                connection.become_player()
            srv_id = self._router.next_srv_id()
            # Noted before it is sent: a connection that breaks then resolves the request at once.
            self._outstanding[srv_id] = request_id, deadline
            connection.request(self._name, payload, srv_id, partial(self._answer, srv_id))

    def _answer(self, srv_id: int, payload: bytes | None) -> None:
        """Answer a request with the player's response; None: the player is lost."""
        request_id, _ = self._outstanding.pop(srv_id, (None, 0.0))
        if request_id is None:
            return
        if payload is None:
            self._fail(request_id, LOST)
        else:
            try:
                self._answers.send(request_id, decodable(payload))
            except ValueError as error:
                self._fail(request_id, f"the player answered with {error}")
        self._send()

    def _fail_outstanding(self) -> None:
        outstanding = self._outstanding
        self._outstanding = {}
        for request_id, _ in outstanding.values():
            self._fail(request_id, LOST)

    def _fail_waiting(self) -> None:
        while self._waiting:
            self._fail(self._waiting.popleft()[0], LOST)

    def _fail(self, request_id: RequestId, problem: str) -> None:
        logger.error("service %s of player %s failed: %s", self._name, self._player, problem)
        # The only error reply that ROS knows, for responses that have these fields.
        fields = self._response.get_fields_and_field_types()
        if fields.get("success") == "boolean" and fields.get("message") == "string":
            self._answers.send(request_id, serialize_message(self._response(success=False, message=problem)))

    def _late(self) -> str:
        return f"the player did not answer within {self._timeout:g} s (ros.endpoint.service_timeout)"


class Answers:
    """Sends the answers of a service, again if their client is not found yet.

    Args:
        name: the service's name.
        service: sends them.
    """

    def __init__(self, name: str, service: SerializedService) -> None:
        self._name = name
        self._service = service
        self._unsent: deque[tuple[RequestId, bytes, float]] = deque()
        self._next_attempt = 0.0

    def __len__(self) -> int:
        """Number of answers that have not been sent."""
        return len(self._unsent)

    def send(self, request_id: RequestId, payload: bytes) -> None:
        """Answer a request, now or when its client is found.

        Raises:
            ValueError: the payload is not of the response's type.
        """
        if not self._service.respond(request_id, payload):
            now = time.monotonic()
            self._unsent.append((request_id, payload, now + REACH_TIME))
            self._next_attempt = now + RETRY_PERIOD

    def send_again(self, now: float) -> None:
        """Send unsent answers if it is time for that at `now` (monotonic clock, s); give up those that are too old."""
        if now < self._next_attempt:
            return
        self._next_attempt = now + RETRY_PERIOD
        while self._unsent:
            request_id, payload, deadline = self._unsent.popleft()
            if now >= deadline:
                logger.warning("service %s: an answer was not sent: whoever asked cannot be reached", self._name)
            elif not self._service.respond(request_id, payload):
                # One attempt a period: put it behind the others, which the next attempt begins with.
                self._unsent.append((request_id, payload, deadline))
                return


def _refuse_callback(request: Any, response: Any) -> Any:
    """Stand in for the callback that rclpy wants; the endpoint takes requests itself, since answers come later."""
    raise AssertionError("the node must not be in an executor")
