"""Batched service calls: one service of many players, called on all of them at once.

The requests of all players are rows of one array, and so are the responses: fields of a batch are written and read as
columns, and a player costs one `send` and one `recv_into`. The frame headers are part of the rows, right-aligned, so
that a row is sent as it is, and a response framed like the one before is received directly into the memory it is
decoded from.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch, CodecError, Lengths, MessageCodec, Service
from rl_pipeline.interfaces.optional_fields import has_field
from rl_pipeline.transport import socket_options
from rl_pipeline.transport.batch_io import BatchIO, Framed, is_compiled
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.frames import encode_request
from rl_pipeline.transport.response_rows import (
    PLACEHOLDER,
    SRV_ID,
    Group,
    PlayerSlot,
    ResponseCallback,
    ResponseRows,
    allocate_rows,
)
from rl_pipeline.transport.timing import ResponseTimes, Stamps

MAX_POLL: Final = 0.25
"""Seconds for which one wait may hold the lock of the connections."""


class CallState(Enum):
    """State of a batched call."""

    IDLE = auto()
    """No requests were sent yet."""
    SENT = auto()
    """The compiled loop has sent the requests; connections do not expect the responses yet."""
    RECEIVING = auto()
    """Connections hand the responses to their slots."""
    RECEIVED = auto()
    """Every player that was asked has answered or is gone."""
    LATE = auto()
    """The deadline has passed; later responses are discarded."""


class ServiceBatch:
    """Client of one service on N players.

    `send` and `receive` alternate. Responses stay valid until the next `send`.

    Args:
        endpoint: server that the players are connected to.
        service: type of the service.
        names: name of the service of each player, such as `/navigation_3/step`.
        lengths: elements of the request's sequences and bytes of its strings; those not given are empty.
        on_response: called with each response as soon as it is complete.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        service: Service,
        names: Sequence[str],
        lengths: Lengths | None = None,
        on_response: ResponseCallback | None = None,
    ) -> None:
        self.names = list(names)
        self._endpoint = endpoint
        self._requests = _Requests(service.request, self.names, lengths)
        self._responses = ResponseRows(service.response, len(self.names), on_response)
        self._slots = [PlayerSlot(index, self._responses) for index in range(len(self.names))]
        # A callback for each response needs the loops in Python.
        self._batch_io = BatchIO(len(self.names)) if is_compiled() and on_response is None else None
        self._everyone = list(range(len(self.names)))
        self._asked: list[int] = []
        self._srv_id = 0
        self._state = CallState.IDLE
        self._regular_since = -1

    def __len__(self) -> int:
        return len(self.names)

    @property
    def request(self) -> Batch:
        """The N requests that the next `send` sends; assign to its fields."""
        return self._requests.batch

    def send(self, players: NDArray[np.intp] | None = None) -> None:
        """Send the requests of the given players, stamped with the current time.

        A player that is not connected is not asked, and is missing from the responses.

        Args:
            players: indices, shape (M,); None: all.
        """
        self._srv_id = self._endpoint.router.next_srv_id()
        self._asked = self._everyone if players is None else players.tolist()
        with self._endpoint.lock:
            if self._state is CallState.SENT:  # the call before was never received
                self._endpoint.deferred.remove(self._arm)
            self._responses.begin()
            self._requests.stamp()
            # In C if the form of every response is known, and connections need not be armed; else in Python.
            if self._batch_io is not None and self._is_regular():
                unsent = self._batch_io.send(players, self._srv_id, SRV_ID % self._srv_id)
                self._endpoint.deferred.append(self._arm)
                self._state = CallState.SENT
            else:
                self._requests.number(SRV_ID % self._srv_id)
                self._arm()
                unsent = [(index, 0) for index in self._responses.waiting]
            # Connections queue the bytes that the kernel does not take now.
            for index, sent in unsent:
                if (connection := self._slots[index].connection) is not None:
                    connection.send(self._requests.rows[index].frames[sent:])

    def receive(self, timeout: float) -> list[int]:
        """Wait until every player that was asked has answered or is gone, at most `timeout` seconds.

        Returns:
            The players that did not answer in time; their late responses are discarded.
        """
        waiting, poll = self._responses.waiting, self._endpoint.poll
        # In C as long as only expected responses come, then in Python.
        deadline = time.monotonic() + timeout
        self._receive_compiled(min(timeout, MAX_POLL))
        while waiting and (remaining := deadline - time.monotonic()) > 0:
            poll(min(remaining, MAX_POLL))
        if not waiting:
            self._state = CallState.RECEIVED
            return []
        # The deadline has passed.
        with self._endpoint.lock:
            self._state = CallState.LATE
            late = sorted(waiting)
            for index in late:
                self._slots[index].abandon()
        return late

    def _is_regular(self) -> bool:
        """Return whether the form of all responses is known, so that the compiled loops can serve the players.

        Only an event at the endpoint changes that: until one comes, the players are not checked again.
        """
        assert self._batch_io is not None
        if self._regular_since == self._endpoint.events:
            return True
        for index in self._asked:
            slot, connection = self._slots[index], self._endpoint.services.get(self.names[index])
            if connection is None:
                return False
            slot.meet(connection)
            # A first response, or one that is still under way, needs Python.
            if slot.row is None or slot.header is None or not connection.between_messages:
                return False
            self._batch_io.prepare(index, connection.fileno(), self._requests.rows[index], slot.row, slot.header)
        # Nothing has to be checked again until the endpoint serves an event.
        if self._asked is self._everyone:
            self._regular_since = self._endpoint.events
        return True

    def _receive_compiled(self, timeout: float) -> None:
        """Receive the responses of requests that were sent in C, until an event that the C code leaves to Python."""
        with self._endpoint.lock:
            if self._state is not CallState.SENT:  # sent in Python, or another thread has polled since
                return
            assert self._batch_io is not None
            self._endpoint.deferred.remove(self._arm)
            players, moments = self._batch_io.receive(self._endpoint.poller, timeout, socket_options.QUICKACK)
            self._responses.arrive(players, moments)
            self._state = CallState.RECEIVED
            # Players that are missing are served by their connections from now on.
            if len(players) < len(self._asked):
                self._arm()
            self._endpoint.sweep()

    def _arm(self) -> None:
        """Have connections hand the outstanding responses to their slots."""
        self._state = CallState.RECEIVING
        self._regular_since = -1
        digits = SRV_ID % self._srv_id
        for index in set(self._asked).difference(self._responses.arrived):
            connection = self._endpoint.services.get(self.names[index])
            if connection is not None:
                # A response of which the compiled loop has received a part continues in the same row.
                received = 0 if self._batch_io is None else self._batch_io.received(index, self._srv_id)
                if not received:
                    self._slots[index].meet(connection)
                self._slots[index].expect(self._srv_id, digits, received)

    def responses(self) -> list[Group]:
        """Return the responses since `send`, as pairs of player indices and a batch of one layout.

        Usually all responses are of one layout. Those that are not of the service's type are left out and listed in
        `refused`.
        """
        groups = self._responses.groups()
        for players, responses in groups:
            self._responses.log.keep_stamps(players, responses)
        return groups

    def stamps(self) -> Stamps:
        """Return the times at which the last requests and responses were sent and received."""
        return self._responses.log.stamps()

    def response_times(self) -> ResponseTimes:
        """Return the times that the players took to answer in the last calls."""
        return self._responses.log.summary()

    @property
    def refused(self) -> dict[int, CodecError]:
        """Errors of responses that could not be decoded, by player; known after `responses`."""
        return self._responses.refused


class _Requests:
    """Rows of frames: both headers, right-aligned, then the request.

    Attributes:
        batch: the requests.
        rows: the frames of each player.
    """

    def __init__(self, codec: MessageCodec, names: Sequence[str], lengths: Lengths | None) -> None:
        layout = codec.layout(lengths)
        headers = [encode_request(name, bytes(layout.size), PLACEHOLDER)[: -layout.size] for name in names]
        # Names of services differ in length: headers end at the same column.
        width = max(len(header) for header in headers)
        rows, payloads = allocate_rows(len(names), width, layout.size)
        payloads[:] = np.frombuffer(layout.empty(1).bytes(0), np.uint8)
        # The id is written into the same position of each frame at every call.
        digits = headers[0].index(SRV_ID % PLACEHOLDER)
        self.rows: list[Framed] = []
        # Headers are written once, right-aligned.
        for row, header in zip(rows, headers, strict=True):
            row[width - len(header) : width] = np.frombuffer(header, np.uint8)
            frames = memoryview(row)[width - len(header) :]
            self.rows.append(Framed(frames, frames[digits : digits + 7]))
        self.batch = layout.view(payloads)
        self._stamp: NDArray[np.uint64] | None = None
        if has_field(codec.struct, "request_sent"):
            self._stamp = self.batch.array["request_sent"].view("<u8")

    def stamp(self) -> None:
        """Write the time into every request: seconds in the lower half of eight bytes, nanoseconds in the upper."""
        if self._stamp is not None:
            seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
            self._stamp.fill(nanoseconds << 32 | seconds)

    def number(self, digits: bytes) -> None:
        """Write the digits of the call's id into every frame."""
        for row in self.rows:
            row.digits[:] = digits
