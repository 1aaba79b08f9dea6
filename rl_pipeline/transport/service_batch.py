"""One service of many players, called on all of them at once.

The requests of all players are rows of one array, and so are the responses: fields of a batch are written and read as
columns, and a player costs one `send` and one `recv_into`. The frame headers stand in the rows, right-aligned, so that
a row is sent as it is, and a response that looks like the one before lands where it is decoded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch, CodecError, Layout, Lengths, MessageCodec, Service
from rl_pipeline.transport.communication import Stamps
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.frames import encode_command, encode_frame
from rl_pipeline.transport.response_times import ResponseLog, ResponseTimes

MAX_POLL: Final = 0.25
"""Seconds that one look at the connections may hold their lock."""
_SRV_ID: Final = b"%07d"
_PLACEHOLDER: Final = 1_000_000


class ServiceBatch:
    """The client of one service on N players.

    `send` and `receive` alternate. Responses stay valid until the next `send`.

    Args:
        endpoint: where the players are connected.
        service: type of the service.
        names: name of the service of each player, such as `/navigation_3/step`.
        lengths: elements of the request's sequences and bytes of its strings; what is not given is empty.
    """

    def __init__(
        self, endpoint: Endpoint, service: Service, names: Sequence[str], lengths: Lengths | None = None
    ) -> None:
        self.names = list(names)
        self._endpoint = endpoint
        self._requests = _Requests(service.request, self.names, lengths)
        self._responses = _Responses(service.response, len(self.names))
        self._slots = [_Slot(index, self._responses) for index in range(len(self.names))]

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
        srv_id = self._endpoint.next_srv_id()
        digits = _SRV_ID % srv_id
        services, names, slots, responses = self._endpoint.services, self.names, self._slots, self._responses
        with self._endpoint.lock:
            responses.begin()
            frames = self._requests.stamp(digits)
            for index in range(len(names)) if players is None else players.tolist():
                connection = services.get(names[index])
                if connection is not None:
                    responses.waiting.add(index)
                    slots[index].expect(connection, srv_id, digits)
                    connection.send(frames[index])

    def receive(self, timeout: float) -> list[int]:
        """Wait until every player that was asked has answered or is gone, at most `timeout` seconds.

        Returns:
            The players that did not answer in time. What they answer later is nobody's.
        """
        waiting, poll = self._responses.waiting, self._endpoint.poll
        deadline = time.monotonic() + timeout
        while waiting and (remaining := deadline - time.monotonic()) > 0:
            poll(min(remaining, MAX_POLL))
        with self._endpoint.lock:
            late = sorted(waiting)
            for index in late:
                self._slots[index].abandon()
        return late

    def responses(self) -> Iterator[tuple[NDArray[np.intp] | slice, Batch]]:
        """What arrived since `send`, as pairs of player indices and their responses.

        Responses of one layout come as one batch; usually that is all of them. Those that are not of the service's
        type are left out, and said to be `refused`.
        """
        for players, responses in self._responses.groups():
            self._responses.log.keep_stamps(players, responses)
            yield players, responses

    def stamps(self) -> Stamps:
        """When requests and responses of the last calls were sent and received."""
        return self._responses.log.stamps()

    def response_times(self) -> ResponseTimes:
        """How long the players took to answer in the last calls."""
        return self._responses.log.summary()

    @property
    def refused(self) -> dict[int, CodecError]:
        """What is wrong with the responses that could not be decoded, by player; known when `responses` has ended."""
        return self._responses.refused


class _Requests:
    """Rows of frames: both headers, right-aligned, and the request behind them."""

    def __init__(self, codec: MessageCodec, names: Sequence[str], lengths: Lengths | None) -> None:
        layout = codec.layout(lengths)
        command = encode_command("__request", srv_id=_PLACEHOLDER)
        headers = [command + encode_frame(name, bytes(layout.size))[: -layout.size] for name in names]
        width = max(len(header) for header in headers)
        self._rows, payloads = _allocate_rows(len(names), width, layout.size)
        payloads[:] = np.frombuffer(layout.empty(1).bytes(0), np.uint8)
        self._views: list[memoryview] = []
        for row, header in zip(self._rows, headers, strict=True):
            row[width - len(header) : width] = np.frombuffer(header, np.uint8)
            self._views.append(memoryview(row)[width - len(header) :])
        self.batch = layout.view(payloads)
        digits = command.index(_SRV_ID % _PLACEHOLDER)
        self._digits = [view[digits : digits + 7] for view in self._views]
        self._stamp: tuple[NDArray[np.int32], NDArray[np.uint32]] | None = None
        if "request_sent" in (self.batch.array.dtype.names or ()):
            self._stamp = self.batch["request_sent.sec"], self.batch["request_sent.nanosec"]

    def stamp(self, digits: bytes) -> list[memoryview]:
        """Write the id and the time into every row; returns the rows, ready to be sent."""
        for view in self._digits:
            view[:] = digits
        if self._stamp is not None:
            self._stamp[0][:], self._stamp[1][:] = divmod(time.time_ns(), 1_000_000_000)
        return self._views


class _Responses:
    """Rows that responses of one layout are received into, and the odd ones beside them.

    Attributes:
        waiting: players whose response is outstanding.
        refused: what is wrong with the responses that cannot be decoded, by player.
        log: who answered when.
        generation: counts allocations of the rows; memory of an earlier generation is no longer read.
    """

    def __init__(self, codec: MessageCodec, count: int) -> None:
        self.waiting: set[int] = set()
        self.refused: dict[int, CodecError] = {}
        self.generation = 0
        self._codec = codec
        self._count = count
        self.log = ResponseLog(count)
        self._arrived: list[int] = []
        self._moments: list[float] = []
        self._odd: dict[int, bytes] = {}
        self._layout: Layout | None = None
        self._width = 0
        self._rows = self._payloads = np.zeros((count, 0), np.uint8)
        self._batch: Batch | None = None

    def begin(self) -> None:
        """Forget the responses of the call before."""
        self.waiting.clear()
        self._arrived, self._moments = self.log.begin(time.perf_counter())
        self._odd.clear()
        if self.refused:
            self.refused = {}

    def arrive(self, index: int) -> None:
        """Count the response that stands in row `index`."""
        self._arrived.append(index)
        self._moments.append(time.perf_counter())
        self.waiting.discard(index)

    def row(self, index: int, header: int, size: int) -> memoryview | None:
        """Memory for the frame headers and payload of player `index`; None when rows are not of the payload's size."""
        if self._layout is None or self._layout.size != size:
            return None
        if header > self._width:
            self._allocate(self._layout, header)
        return memoryview(self._rows[index])[self._width - header :]

    def store(self, index: int, payload: bytes) -> None:
        """Take a response that was not received into its row."""
        if self._layout is None and (layout := self._layout_of(index, payload)) is not None:
            self._allocate(layout, 0)
        if self._layout is not None and len(payload) == self._layout.size:
            self._payloads[index] = np.frombuffer(payload, np.uint8)
        else:
            self._odd[index] = payload
        self.arrive(index)

    def groups(self) -> Iterator[tuple[NDArray[np.intp] | slice, Batch]]:
        """Pairs of player indices and their responses, see ServiceBatch.responses."""
        if self._odd and len(self._odd) > len(self._arrived) // 2:
            self._adopt()
        regular = [index for index in self._arrived if index not in self._odd] if self._odd else self._arrived
        if regular:
            yield from self._regular(regular)
        for index, payload in self._odd.items():
            yield from self._single(index, payload)

    def _regular(self, players: list[int]) -> Iterator[tuple[NDArray[np.intp] | slice, Batch]]:
        assert self._layout is not None
        assert self._batch is not None
        if len(players) == self._count and self._layout.matches(self._payloads):
            yield slice(None), self._batch
            return
        indices = np.sort(np.array(players))
        rows = self._payloads[indices]
        if self._layout.matches(rows):
            yield indices, self._layout.view(rows)
            return
        for index in indices.tolist():
            yield from self._single(index, self._payloads[index].tobytes())

    def _single(self, index: int, payload: bytes) -> Iterator[tuple[NDArray[np.intp], Batch]]:
        if (layout := self._layout_of(index, payload)) is not None:
            yield np.array([index]), layout.view(np.frombuffer(payload, np.uint8)[None])

    def _layout_of(self, index: int, payload: bytes) -> Layout | None:
        """The layout of a response; None when it cannot be decoded, which is then noted as refused."""
        try:
            return self._codec.layout_of(payload)
        except CodecError as error:
            self.refused[index] = error
            return None

    def _adopt(self) -> None:
        """Most responses have another size than the rows: make theirs the rows' layout."""
        layout = self._layout_of(*next(iter(self._odd.items())))
        if layout is None:
            return
        payloads = {index: self._payloads[index].tobytes() for index in self._arrived} | self._odd
        self._allocate(layout, self._width)
        self._odd.clear()
        for index, payload in payloads.items():
            if len(payload) == self._payloads.shape[1]:
                self._payloads[index] = np.frombuffer(payload, np.uint8)
            else:
                self._odd[index] = payload

    def _allocate(self, layout: Layout, header: int) -> None:
        """Make rows for a layout, with room for `header` bytes of headers, keeping payloads of the same size."""
        previous = self._payloads
        self.generation += 1
        # The eighth byte of CDR's alignment is counted from behind the payload's own 4-byte header.
        self._width = -(-max(header - 4, 0) // 8) * 8 + 4
        self._rows, self._payloads = _allocate_rows(self._count, self._width, layout.size)
        if previous.shape == self._payloads.shape:
            self._payloads[:] = previous
        self._layout = layout
        self._batch = layout.view(self._payloads)


def _allocate_rows(count: int, width: int, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Rows of `width` bytes of headers and `size` bytes of payload, at a stride of 8 bytes; and their payloads."""
    stride = -(-(width + size) // 8) * 8
    rows = np.zeros((count, stride), np.uint8)[:, : width + size]
    return rows, rows[:, width:]


class _Slot:
    """Where one player's next response goes; see connection.ResponseSlot.

    It expects the response to be framed like the one before, but for the id, and to be as long.
    """

    def __init__(self, index: int, responses: _Responses) -> None:
        self.srv_id = 0
        self._index = index
        self._responses = responses
        self._connection: Connection | None = None
        self._generation = 0
        self._template: tuple[bytes, bytes] | None = None
        self._header = b""
        self._row: memoryview | None = None
        self._payload_size = 0
        self._size = 0

    def expect(self, connection: Connection, srv_id: int, digits: bytes) -> None:
        """Arm for the response to the request that is about to be sent."""
        if connection is not self._connection:
            self._connection, self._row, self._template = connection, None, None
            connection.become_player()
        self.srv_id = srv_id
        self._size = 0
        if self._template is not None:
            self._header = digits.join(self._template)
            if self._row is None or self._generation != self._responses.generation:
                self._row = self._responses.row(self._index, len(self._header), self._payload_size)
                self._generation = self._responses.generation
        connection.slot = self

    def abandon(self) -> None:
        """Stop waiting: the response, should it come, is nobody's."""
        connection, row, size = self._connection, self._row, self._size
        self._connection = self._row = None
        if connection is not None and connection.slot is self:
            connection.slot = None
            if row is not None and size:
                connection.take_back(row[:size])

    def free(self) -> memoryview | None:
        row = self._row
        return row[self._size :] if row is not None and self._size else row

    def received(self, size: int) -> memoryview | None:
        row, header = self._row, self._header
        assert row is not None
        assert self._connection is not None
        self._size = size = self._size + size
        known = min(size, len(header))
        if row[:known] != header[:known]:
            self._row = self._template = None
            return row[:size]
        if size == len(row):
            self._connection.slot = None
            if self._generation == self._responses.generation:
                self._responses.arrive(self._index)
            else:
                self._responses.store(self._index, bytes(row[len(header) :]))
        return None

    def complete(self, destination: str, payload: bytes) -> None:
        command = encode_command("__response", nul=True, srv_id=_PLACEHOLDER)
        digits = command.index(_SRV_ID % _PLACEHOLDER)
        header = encode_frame(destination, payload, nul=True)[: -len(payload) or None]
        self._template = (command[:digits], command[digits + 7 :] + header)
        self._payload_size = len(payload)
        self._row = None
        self._responses.store(self._index, payload)

    def fail(self) -> None:
        self._responses.waiting.discard(self._index)
        self._connection = self._row = None
