"""Memory that the responses of a batched call are received into: rows of one array, and odd ones apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch, CodecError, Layout, MessageCodec
from rl_pipeline.transport.batch_io import Framed
from rl_pipeline.transport.connection import Connection
from rl_pipeline.transport.frames import encode_command, encode_frame
from rl_pipeline.transport.timing import ResponseLog

PLACEHOLDER: Final = 1_000_000
"""An id with the number of digits of all ids, for frames whose id is written later."""
SRV_ID: Final = b"%07d"
"""Format of an id in frames."""

Group = tuple[NDArray[np.intp] | slice, Batch]
"""Indices of players and a batch of their responses, which are of one layout."""

ResponseCallback = Callable[[int, "NDArray[np.uint8] | bytes"], None]
"""Takes a player's index and the payload of its response, shape (bytes,), as soon as that is complete."""


class ResponseRows:
    """Rows that responses of one layout are received into, and a list of odd ones.

    Attributes:
        waiting: players whose response is outstanding.
        arrived: players whose response is complete, in the order of arrival.
        refused: errors of responses that cannot be decoded, by player.
        log: times of responses over the last calls.
        generation: number of allocations of the rows; memory of an earlier generation is no longer read.
    """

    def __init__(self, codec: MessageCodec, count: int, on_response: ResponseCallback | None = None) -> None:
        self.waiting: set[int] = set()
        self.arrived: list[int] = []
        self.refused: dict[int, CodecError] = {}
        self.log = ResponseLog(count)
        self.generation = 0
        self._codec = codec
        self._count = count
        self._on_response = on_response
        self._moments: list[float] = []
        self._odd: dict[int, bytes] = {}
        self._layout: Layout | None = None
        self._width = 0
        self._rows = self._payloads = np.zeros((count, 0), np.uint8)
        # Made once for all rows: a check that all are of the layout, and their batch.
        self._match: Callable[[], bool] = bool
        self._all: list[Group] = []

    def begin(self) -> None:
        """Forget the responses of the call before."""
        self.waiting.clear()
        self.arrived, self._moments = self.log.begin(time.perf_counter())
        self._odd.clear()
        if self.refused:  # a new dict, since callers may keep the old one
            self.refused = {}

    def arrive(self, players: list[int], moments: list[float]) -> None:
        """Count complete responses in the rows of players, with their times (s, performance counter)."""
        self.arrived += players
        self._moments += moments
        self.waiting.difference_update(players)
        if self._on_response is not None:
            for index in players:
                self._on_response(index, self._odd[index] if index in self._odd else self._payloads[index])

    def row(self, index: int, header: int, size: int) -> memoryview | None:
        """Return memory for frame headers and payload of a player; None if rows are not of the payload's size."""
        if self._layout is None or self._layout.size != size:
            return None
        # Rows need room for the longest headers of all players.
        if header > self._width:
            self._allocate(self._layout, header)
        return memoryview(self._rows[index])[self._width - header :]

    def store(self, index: int, payload: bytes) -> None:
        """Take a response that was not received into its row."""
        # The first response of all decides on the layout of the rows.
        if self._layout is None and (layout := self._layout_of(index, payload)) is not None:
            self._allocate(layout, 0)
        if self._layout is not None and len(payload) == self._layout.size:
            self._payloads[index] = np.frombuffer(payload, np.uint8)
        else:
            self._odd[index] = payload
        self.arrive([index], [time.perf_counter()])

    def groups(self) -> list[Group]:
        """Return pairs of player indices and their responses, see `ServiceBatch.responses`."""
        # The usual case: all players have answered, in the layout of the rows.
        if len(self.arrived) == self._count and not self._odd and self._match():
            return self._all
        if self._odd and len(self._odd) > len(self.arrived) // 2:
            self._adopt_layout()
        # Otherwise: one batch of the rows, and one for each odd response.
        regular = [index for index in self.arrived if index not in self._odd]
        groups = list(self._regular(regular)) if regular else []
        for index, payload in self._odd.items():
            groups += self._single(index, payload)
        return groups

    def _regular(self, players: list[int]) -> Iterator[Group]:
        assert self._layout is not None
        if len(players) == self._count and self._match():
            yield from self._all
            return
        # Some players, in their order; rows that differ in a length are decoded one by one.
        indices = np.sort(np.array(players))
        rows = self._payloads[indices]
        if self._layout.matches(rows):
            yield indices, self._layout.view(rows)
            return
        for index in indices.tolist():
            yield from self._single(index, self._payloads[index].tobytes())

    def _single(self, index: int, payload: bytes) -> Iterator[Group]:
        if (layout := self._layout_of(index, payload)) is not None:
            yield np.array([index]), layout.view(np.frombuffer(payload, np.uint8)[None])

    def _layout_of(self, index: int, payload: bytes) -> Layout | None:
        """Return the layout of a response; note it as refused and return None if it cannot be decoded."""
        try:
            return self._codec.layout_of(payload)
        except CodecError as error:
            self.refused[index] = error
            return None

    def _adopt_layout(self) -> None:
        """Make the layout of the odd responses that of the rows: most responses have another size than these."""
        layout = self._layout_of(*next(iter(self._odd.items())))
        if layout is None:
            return
        # Payloads of the new size move into the rows; those of the old size become odd.
        payloads = {index: self._payloads[index].tobytes() for index in self.arrived} | self._odd
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
        self._rows, self._payloads = allocate_rows(self._count, self._width, layout.size)
        if previous.shape == self._payloads.shape:
            self._payloads[:] = previous
        self._layout = layout
        self._match = layout.matcher(self._payloads)
        self._all = [(slice(None), layout.view(self._payloads))]


def allocate_rows(count: int, width: int, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Allocate rows for frames.

    Args:
        count: number of rows, N.
        width: bytes of headers.
        size: bytes of the payload.

    Returns:
        Rows, shape (N, width + size), at a stride of a multiple of 8 bytes; and the payloads in them, shape (N, size).
    """
    # A multiple of 8 keeps the fields of all rows aligned.
    stride = -(-(width + size) // 8) * 8
    rows = np.zeros((count, stride), np.uint8)[:, : width + size]
    return rows, rows[:, width:]


class PlayerSlot:
    """Receiver of one player's next response, see `ResponseSlot`.

    It expects the response to be framed like the one before, apart from the id, and to be as long.

    Attributes:
        srv_id: id of the call that the response belongs to.
        connection: connection of the player; None before it is known.
        row: memory for the response; None while its form is unknown.
        header: expected beginning of the response; the id is written into it for each call.
    """

    def __init__(self, index: int, responses: ResponseRows) -> None:
        self.srv_id = 0
        self.connection: Connection | None = None
        self.row: memoryview | None = None
        self.header: Framed | None = None
        self._index = index
        self._responses = responses
        self._generation = 0
        self._payload_size = 0
        self._size = 0

    def meet(self, connection: Connection) -> None:
        """Expect responses of a connection, in rows of the current generation."""
        if connection is not self.connection:
            # Another player: the form of its responses is unknown.
            self.connection = connection
            self.row = None
            self.header = None
            connection.become_player()
        elif self.header is not None and (self.row is None or self._generation != self._responses.generation):
            self.row = self._responses.row(self._index, len(self.header.frames), self._payload_size)
            self._generation = self._responses.generation

    def expect(self, srv_id: int, digits: bytes, size: int = 0) -> None:
        """Expect the response to a request; `size` bytes of it are in the row already."""
        assert self.connection is not None
        self.srv_id = srv_id
        self._size = size
        self._responses.waiting.add(self._index)
        self.connection.slot = self
        if self.header is not None:
            self.header.digits[:] = digits
        if size and (spilled := self.received(0)) is not None:
            self.connection.take_back(spilled)

    def abandon(self) -> None:
        """Stop waiting, and discard the response should it still come."""
        connection, row = self.connection, self.row
        self.connection = None
        self.row = None
        if connection is not None and connection.slot is self:
            connection.slot = None
            # The part that has come is the beginning of a frame, which the connection has to cut off.
            if row is not None and self._size:
                connection.take_back(row[: self._size])

    def free(self) -> memoryview | None:
        """Return the rest of the row; None while the form of the response is unknown."""
        row = self.row
        return row[self._size :] if row is not None and self._size else row

    def received(self, size: int) -> memoryview | None:
        """Count bytes received into `free()`; return all of them if they are not the expected response."""
        row, header = self.row, self.header
        assert row is not None
        assert header is not None
        assert self.connection is not None
        self._size = size = self._size + size
        # The frames must begin like those of the response before.
        known = min(size, len(header.frames))
        if row[:known] != header.frames[:known]:
            self.row = self.header = None
            return row[:size]
        if size == len(row):
            # The response is complete. Rows that were replaced meanwhile are no longer read: copy it.
            self.connection.slot = None
            if self._generation == self._responses.generation:
                self._responses.arrive([self._index], [time.perf_counter()])
            else:
                self._responses.store(self._index, bytes(row[len(header.frames) :]))
        return None

    def complete(self, destination: str, payload: bytes) -> None:
        """Take a response that came as an ordinary frame, and expect the next one to be framed like it."""
        # The expected headers of the next response, with room for its id.
        command = encode_command("__response", nul=True, srv_id=PLACEHOLDER)
        digits = command.index(SRV_ID % PLACEHOLDER)
        frames = memoryview(bytearray(command + encode_frame(destination, payload, nul=True)[: -len(payload) or None]))
        self.header = Framed(frames, frames[digits : digits + 7])
        self._payload_size = len(payload)
        self.row = None
        self._responses.store(self._index, payload)

    def fail(self) -> None:
        """Stop waiting: the connection is gone."""
        self._responses.waiting.discard(self._index)
        self.connection = None
        self.row = None
