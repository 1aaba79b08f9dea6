"""Services that cross the endpoint: a player's, offered to ROS, and those of ROS, called by players."""

from __future__ import annotations

import logging
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rclpy.serialization import serialize_message

from rl_pipeline.ros.message_types import service_class
from rl_pipeline.ros.offered_service import Answers
from rl_pipeline.ros.serialized import RequestId, SerializedClient, SerializedService
from rl_pipeline.ros.watched import Watched
from rl_pipeline.transport.bridge import Respond
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.protocol import Registration
from rl_pipeline.transport.router import decodable

if TYPE_CHECKING:
    from rclpy.node import Node

logger = logging.getLogger(__name__)

LOST: Final = "the player was lost"
DELIVERY_TIME: Final = 0.1
"""Seconds for which a service stays after its last answers: what is still on its way, DDS would forget with it."""
RETURN_TIME: Final = 0.5
"""Seconds for which the service of a player that has left takes requests, and which it has to come back.

Whoever calls a service while another takes its place may have found only the one that goes, and DDS drops such a
request without a word. A connection that is made anew therefore goes on with the same service.
"""
MAX_OUTSTANDING: Final = 10
"""Requests that a connector queues for one service; with one more, it loses the order of its answers."""


class OfferedService:
    """A player's service as a ROS service.

    Any number of requests are taken; the player is sent as many at a time as it can queue. Each ends within the
    timeout. ROS has no error reply: a call that fails gets `success: false` and a message where its response has these
    fields, as those of std_srvs have, and no answer otherwise.

    Args:
        endpoint: where the player is connected.
        node: what offers the service.
        connection: the player.
        registration: the service's name and type.
        timeout: seconds that the player may take to answer.
    """

    def __init__(
        self, endpoint: Endpoint, node: Node, connection: Connection, registration: Registration, timeout: float
    ) -> None:
        self._endpoint = endpoint
        self._node = node
        self._connection = connection
        self._name, self._type_name = registration.name, registration.type_name
        self._timeout = timeout
        self._returns_by: float | None = None
        self._waiting: deque[tuple[RequestId, bytes, float]] = deque()
        self._outstanding: dict[int, tuple[RequestId, float]] = {}
        type_class = service_class(self._type_name)
        self._response = type_class.Response
        self._service = node.create_service(type_class, self._name, _unused)
        self._bytes = SerializedService(self._service)
        self._answers = Answers(self._name, self._bytes)
        self._watched = Watched(endpoint, self._service, self._take)

    @property
    def pending(self) -> int:
        """Requests whose answer has not been sent yet."""
        return len(self._waiting) + len(self._outstanding) + len(self._answers)

    @property
    def held(self) -> bool:
        """Whether the player has left and may come back."""
        return self._returns_by is not None

    def expire(self, now: float) -> None:
        """End the requests whose deadline (on the monotonic clock, s) has passed, and deliver what could not be."""
        self._answers.send_again(now)
        if self._returns_by is not None and self._returns_by < now:
            self._fail_waiting()
        while self._waiting and self._waiting[0][2] < now:
            self._fail(self._waiting.popleft()[0], self._late())
        # Python's dicts keep the order of insertion, which is that of the deadlines.
        while self._outstanding and (oldest := next(iter(self._outstanding.items())))[1][1] < now:
            srv_id, (request_id, _) = oldest
            del self._outstanding[srv_id]
            self._connection.calls.pop(srv_id, None)
            self._fail(request_id, self._late())
        self._send()

    def leave(self) -> None:
        """Fail what the player was asked: it has left. What it has not been asked waits for RETURN_TIME."""
        self._returns_by = time.monotonic() + RETURN_TIME
        self._fail_outstanding()

    def resume(self, connection: Connection, registration: Registration) -> bool:
        """Go on with the connection that offers the service now; returns whether it has the same type."""
        if registration.type_name != self._type_name:
            return False
        self._connection, self._returns_by = connection, None
        self._send()
        return True

    def is_over(self, now: float) -> bool:
        """Whether the player has left for good, at a time on the monotonic clock, s, and callers know it."""
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
        while self._waiting and len(self._outstanding) < MAX_OUTSTANDING and not self.held and self._connection.open:
            request_id, payload, deadline = self._waiting.popleft()
            if not self._connection.is_player:
                self._connection.become_player()
            srv_id = self._endpoint.next_srv_id()
            self._outstanding[srv_id] = request_id, deadline
            answer = partial(self._answer, srv_id)
            self._endpoint.request(self._connection, self._name, payload, srv_id, answer)

    def _answer(self, srv_id: int, payload: bytes | None) -> None:
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
        outstanding, self._outstanding = self._outstanding, {}
        for request_id, _ in outstanding.values():
            self._fail(request_id, LOST)

    def _fail_waiting(self) -> None:
        while self._waiting:
            self._fail(self._waiting.popleft()[0], LOST)

    def _fail(self, request_id: RequestId, problem: str) -> None:
        logger.error("service %s of player %s failed: %s", self._name, self._connection.peer, problem)
        fields = self._response.get_fields_and_field_types()
        if fields.get("success") == "boolean" and fields.get("message") == "string":
            self._answers.send(request_id, serialize_message(self._response(success=False, message=problem)))

    def _late(self) -> str:
        return f"the player did not answer within {self._timeout:g} s (ros.endpoint.service_timeout)"


class CalledService:
    """A ROS service that players call.

    Args:
        endpoint: where the players are connected.
        node: what calls the service.
        name: the service's name.
        service_class: its type.
        timeout: seconds that the service may take to appear and answer.
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
        """Calls that are not answered yet."""
        return len(self._held) + len(self._outstanding)

    @property
    def held(self) -> bool:
        """Whether calls wait for the service to appear."""
        return bool(self._held)

    def call(self, payload: bytes, respond: Respond) -> None:
        """Call the service with the request's payload; `respond` is called within the timeout."""
        self._held.append((payload, respond, time.monotonic() + self._timeout))
        self.send_held()

    def send_held(self) -> None:
        """Send the calls that wait for the service, if it is there: what DDS is given earlier is lost."""
        if not self._held or not self._client.service_is_ready():
            return
        while self._held:
            payload, respond, deadline = self._held.popleft()
            try:
                self._outstanding[self._bytes.send(payload)] = respond, deadline
            except ValueError as error:
                respond(None, f"the request is {error}")

    def expire(self, now: float) -> None:
        """End the calls whose deadline (on the monotonic clock, s) has passed."""
        self.send_held()
        while self._held and self._held[0][2] < now:
            _, respond, _ = self._held.popleft()
            respond(None, f"no ROS node offered it within {self._timeout:g} s (ros.endpoint.service_timeout)")
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
        respond, _ = self._outstanding.pop(response.request_id.sequence_number, (None, 0.0))
        if respond is not None:
            respond(response.payload)


def _unused(request: Any, response: Any) -> Any:
    """What rclpy wants for a service's callback; the endpoint takes requests itself, since answers come later."""
    raise AssertionError("the node must not be in an executor")
