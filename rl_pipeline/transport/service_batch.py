"""One service of many players, called on all of them at once.

The requests of all players are rows of one array, and so are the responses: fields of a batch are written and read as
columns, and a player costs one `send` and one `recv_into`. The frame headers stand in the rows, right-aligned, so that
a row is sent as it is, and a response that looks like the one before lands where it is decoded.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch, CodecError, Lengths, MessageCodec, Service
from rl_pipeline.interfaces.optional_fields import has_field
from rl_pipeline.transport import socket_options
from rl_pipeline.transport.batch_io import Exchange, Framed, is_compiled
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
"""Seconds that one look at the connections may hold their lock."""


class ServiceBatch:
    """The client of one service on N players.

    `send` and `receive` alternate. Responses stay valid until the next `send`.

    Args:
        endpoint: where the players are connected.
        service: type of the service.
        names: name of the service of each player, such as `/navigation_3/step`.
        lengths: elements of the request's sequences and bytes of its strings; what is not given is empty.
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
        # Whoever is told of each response at once needs the loops in Python.
        self._exchange = Exchange(len(self.names)) if is_compiled() and on_response is None else None
        self._everyone = list(range(len(self.names)))
        self._asked: list[int] = []
        self._srv_id = 0
        self._regular_since = -1

    def __len__(self) -> int:
        return len(self.names)

    @property
    def request(self) -> Batch:
        """The N requests that the next `send` sends; assign to its fields."""
        return self._requests.batch

    def send(self, players: NDArray[np.intp] | None = None) -> None:
        """Send the requests of the given players (default: all), stamped with the time of now.

        A player that is not connected is not asked, and will be missing from the responses.
        """
        self._srv_id = self._endpoint.router.next_srv_id()
        self._asked = self._everyone if players is None else players.tolist()
        with self._endpoint.lock:
            self._responses.begin()
            self._requests.stamp()
            if self._exchange is not None and self._is_regular():
                unsent = self._exchange.send(players, self._srv_id, SRV_ID % self._srv_id)
                self._endpoint.deferred.append(self._arm)
            else:
                self._requests.number(SRV_ID % self._srv_id)
                self._arm()
                unsent = [(index, 0) for index in self._responses.waiting]
            for index, sent in unsent:
                if (connection := self._slots[index].connection) is not None:
                    connection.send(self._requests.rows[index].frames[sent:])

    def receive(self, timeout: float) -> list[int]:
        """Wait until every player that was asked has answered or is gone, at most `timeout` seconds.

        Returns:
            The players that did not answer in time. What they answer later is nobody's.
        """
        waiting, poll = self._responses.waiting, self._endpoint.poll
        deadline = time.monotonic() + timeout
        self._receive_compiled(min(timeout, MAX_POLL))
        while waiting and (remaining := deadline - time.monotonic()) > 0:
            poll(min(remaining, MAX_POLL))
        if not waiting:
            return []
        with self._endpoint.lock:
            late = sorted(waiting)
            for index in late:
                self._slots[index].abandon()
        return late

    def _is_regular(self) -> bool:
        """Whether it is known of all players asked what they will send, so that the compiled loops can serve them.

        Nothing changes that but an event at the endpoint: as long as there is none, players are not looked at.
        """
        assert self._exchange is not None
        if self._regular_since == self._endpoint.events:
            return True
        for index in self._asked:
            slot, connection = self._slots[index], self._endpoint.services.get(self.names[index])
            if connection is None:
                return False
            slot.meet(connection)
            if slot.row is None or slot.header is None or not connection.between_messages:
                return False
            self._exchange.prepare(index, connection.fileno(), self._requests.rows[index], slot.row, slot.header)
        if self._asked is self._everyone:
            self._regular_since = self._endpoint.events
        return True

    def _receive_compiled(self, timeout: float) -> None:
        """Receive in the compiled loop what was sent there, until something else comes than what is waited for."""
        with self._endpoint.lock:
            if self._arm not in self._endpoint.deferred:
                return
            assert self._exchange is not None
            self._endpoint.deferred.remove(self._arm)
            players, moments = self._exchange.receive(self._endpoint.poller, timeout, socket_options.QUICKACK)
            self._responses.arrive(players, moments)
            if len(players) < len(self._asked):
                self._arm()
            self._endpoint.sweep()

    def _arm(self) -> None:
        """Have the connections of the players that are still to answer hand their responses over."""
        self._regular_since = -1
        digits = SRV_ID % self._srv_id
        for index in set(self._asked).difference(self._responses.arrived):
            connection = self._endpoint.services.get(self.names[index])
            if connection is not None:
                received = 0 if self._exchange is None else self._exchange.received(index, self._srv_id)
                if not received:
                    self._slots[index].meet(connection)
                self._slots[index].expect(self._srv_id, digits, received)

    def responses(self) -> list[Group]:
        """What arrived since `send`, as pairs of player indices and their responses.

        Responses of one layout come as one batch; usually that is all of them. Those that are not of the service's
        type are left out, and said to be `refused`.
        """
        groups = self._responses.groups()
        for players, responses in groups:
            self._responses.log.keep_stamps(players, responses)
        return groups

    def stamps(self) -> Stamps:
        """When the last requests and responses were sent and received."""
        return self._responses.log.stamps()

    def response_times(self) -> ResponseTimes:
        """How long the players took to answer in the last calls."""
        return self._responses.log.summary()

    @property
    def refused(self) -> dict[int, CodecError]:
        """What is wrong with the responses that could not be decoded, by player; known after `responses`."""
        return self._responses.refused


class _Requests:
    """Rows of frames: both headers, right-aligned, and the request behind them.

    Attributes:
        batch: the requests.
        rows: the frames of each player.
    """

    def __init__(self, codec: MessageCodec, names: Sequence[str], lengths: Lengths | None) -> None:
        layout = codec.layout(lengths)
        headers = [encode_request(name, bytes(layout.size), PLACEHOLDER)[: -layout.size] for name in names]
        width = max(len(header) for header in headers)
        rows, payloads = allocate_rows(len(names), width, layout.size)
        payloads[:] = np.frombuffer(layout.empty(1).bytes(0), np.uint8)
        digits = headers[0].index(SRV_ID % PLACEHOLDER)
        self.rows: list[Framed] = []
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
