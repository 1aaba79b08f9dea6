"""Services that cross the endpoint: a player's, offered to ROS, and those of ROS, called by players."""

from __future__ import annotations

import logging
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rclpy.serialization import deserialize_message, serialize_message

from rl_pipeline.ros.watched import Watched
from rl_pipeline.transport.bridge import Respond
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.graph import decodable

if TYPE_CHECKING:
    from rclpy.node import Node

logger = logging.getLogger(__name__)

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
        name: the service's name.
        service_class: its type.
        timeout: seconds that the player may take to answer.
    """

    def __init__(
        self, endpoint: Endpoint, node: Node, connection: Connection, name: str, service_class: Any, timeout: float
    ) -> None:
        self._endpoint = endpoint
        self._node = node
        self._connection = connection
        self._name = name
        self._timeout = timeout
        self._response = service_class.Response
        self._request = service_class.Request
        self._waiting: deque[tuple[Any, bytes, float]] = deque()
        self._outstanding: dict[int, tuple[Any, float]] = {}
        self._service = node.create_service(service_class, name, _unused)
        self._watched = Watched(endpoint, self._service, self._take)

    @property
    def pending(self) -> int:
        """Requests that are not answered yet."""
        return len(self._waiting) + len(self._outstanding)

    def expire(self, now: float) -> None:
        """End the requests whose deadline (on the monotonic clock, s) has passed."""
        while self._waiting and self._waiting[0][2] < now:
            self._fail(self._waiting.popleft()[0], self._late())
        # Python's dicts keep the order of insertion, which is that of the deadlines.
        while self._outstanding and (oldest := next(iter(self._outstanding.items())))[1][1] < now:
            srv_id, (header, _) = oldest
            del self._outstanding[srv_id]
            self._connection.calls.pop(srv_id, None)
            self._fail(header, self._late())
        self._send()

    def close(self) -> None:
        """Withdraw the service from ROS."""
        headers = [header for header, _ in self._outstanding.values()] + [header for header, *_ in self._waiting]
        self._outstanding.clear()
        self._waiting.clear()
        for header in headers:
            self._fail(header, "the player was lost")
        self._watched.close()
        self._node.destroy_service(self._service)

    def _take(self) -> bool:
        request, header = self._service.handle.service_take_request(self._request) or (None, None)
        if request is None:
            return False
        self._waiting.append((header, serialize_message(request), time.monotonic() + self._timeout))
        self._send()
        return True

    def _send(self) -> None:
        while self._waiting and len(self._outstanding) < MAX_OUTSTANDING and self._connection.open:
            header, payload, deadline = self._waiting.popleft()
            if not self._connection.is_player:
                self._connection.become_player()
            srv_id = self._endpoint.next_srv_id()
            self._outstanding[srv_id] = header, deadline
            answer = partial(self._answer, srv_id)
            self._endpoint.request(self._connection, self._name, payload, srv_id, answer)

    def _answer(self, srv_id: int, payload: bytes | None) -> None:
        header, _ = self._outstanding.pop(srv_id, (None, 0.0))
        if header is None:
            return
        if payload is None:
            self._fail(header, "the player was lost")
        else:
            try:
                self._service.send_response(deserialize_message(decodable(payload), self._response), header)
            except Exception as error:
                self._fail(header, f"the player's response is no {self._response.__name__} ({error})")
        self._send()

    def _fail(self, header: Any, problem: str) -> None:
        logger.error("service %s of player %s failed: %s", self._name, self._connection.peer, problem)
        fields = self._response.get_fields_and_field_types()
        if fields.get("success") == "boolean" and fields.get("message") == "string":
            self._service.send_response(self._response(success=False, message=problem), header)

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
        self._request = service_class.Request
        self._response = service_class.Response
        self._client = node.create_client(service_class, name)
        self._held: deque[tuple[Any, Respond, float]] = deque()
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
        try:
            request = deserialize_message(payload, self._request)
        except Exception as error:
            respond(None, f"the request is no {self._request.__name__} ({error})")
            return
        self._held.append((request, respond, time.monotonic() + self._timeout))
        self.send_held()

    def send_held(self) -> None:
        """Send the calls that wait for the service, if it is there: what DDS is given earlier is lost."""
        if not self._held or not self._client.service_is_ready():
            return
        while self._held:
            request, respond, deadline = self._held.popleft()
            self._outstanding[self._client.handle.send_request(request)] = respond, deadline

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

    def _take(self) -> bool:
        header, response = self._client.handle.take_response(self._response)
        if header is None:
            return False
        respond, _ = self._outstanding.pop(header.request_id.sequence_number, (None, 0.0))
        if respond is not None:
            respond(serialize_message(response))
        return True


def _unused(request: Any, response: Any) -> Any:
    """What rclpy wants for a service's callback; the endpoint takes requests itself, since answers come later."""
    raise AssertionError("the node must not be in an executor")
