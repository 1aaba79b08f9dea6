"""Codec of one message type: bytes to and from values and batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces.batch import Batch
from rl_pipeline.interfaces.layout import PADDING, Layout, Lengths, read_lengths
from rl_pipeline.interfaces.ragged import RaggedBatch
from rl_pipeline.interfaces.types import Constant, Struct
from rl_pipeline.interfaces.values import fill, measure, nest, plain

Payload: TypeAlias = bytes | bytearray | memoryview | NDArray[np.uint8]

_MAX_LAYOUTS = 32
"""Layouts that a codec keeps; beyond it, the oldest is forgotten."""


class MessageCodec:
    """Encodes and decodes messages of one type; a payload is the 4-byte header and the message.

    Attributes:
        name: two-part name of the type, such as `geometry_msgs/Pose`; a half of a service is `pkg/Name_Request` or
            `pkg/Name_Response`.
        constants: value of each constant of the definition by name.
        struct: the type and its fields.
    """

    def __init__(self, struct: Struct) -> None:
        self.name = struct.name
        self.constants: dict[str, Constant] = struct.constants
        self.struct = struct
        self._layouts: dict[tuple[int, ...], Layout] = {}
        self._latest: Layout | None = None

    def layout(self, lengths: Lengths | None = None) -> Layout:
        """Return the layout of messages with the given lengths; a string or sequence that is not given has length 0.

        Raises:
            UnknownNameError: a path that is no string or sequence of the message.
            CodecError: a length that the definition does not allow.
        """
        layout = Layout(self.struct, lengths or {})
        return self._keep(tuple(layout.lengths.values()), layout)

    def layout_of(self, payload: Payload) -> Layout:
        """Return the layout of one message, read by walking its bytes; up to 3 bytes of padding may follow it.

        Raises:
            CodecError: the bytes are no message of this type.
        """
        # Messages usually have the lengths of the one before: comparing these is faster than walking the bytes.
        latest = self._latest
        if latest is not None and 0 <= len(payload) - latest.size <= PADDING and latest.matches(_row(payload)):
            return latest
        self._latest = self._layout(read_lengths(self.struct, _memory(payload)))
        return self._latest

    def decode(self, payload: Payload) -> dict[str, Any]:
        """Decode one message into nested dicts; numeric arrays are copied.

        Raises:
            CodecError: the bytes are no message of this type.
        """
        layout = self.layout_of(payload)
        return plain(self.struct, np.frombuffer(payload, layout.dtype, count=1)[0].item())

    def encode(self, values: Mapping[str, Any]) -> bytes:
        """Encode one message from nested or dotted values (`{"pose": {...}, "twist.linear.x": 1.0}`); the rest is zero.

        For messages that are sent often with the same lengths, fill a batch of `layout(...).empty(n)` instead.

        Raises:
            UnknownNameError: a name that is no field.
            CodecError: a value that its field cannot hold.
        """
        # Two passes: the lengths, which decide on the layout, then the values.
        values = nest(values)
        message = self._layout(measure(self.struct, values)).empty(1)
        fill(self.struct, values, message.array)
        return message.bytes(0)

    def decode_batch(self, payloads: Sequence[Payload] | NDArray[np.uint8]) -> Batch:
        """Decode N messages into one batch: a copy of a sequence of payloads, a view of an array of shape (N, length).

        Messages that differ in their lengths make a RaggedBatch.

        Raises:
            CodecError: some bytes are no message of this type.
        """
        if not len(payloads):
            return self.layout().empty(0)
        # Payloads of one size are rows of one array, and usually of one layout.
        layout = self.layout_of(payloads[0])
        if isinstance(payloads, np.ndarray):
            rows = payloads
        elif len({len(payload) for payload in payloads}) == 1:
            rows = np.frombuffer(bytearray().join(map(_memory, payloads)), np.uint8).reshape(len(payloads), -1)
        else:
            return self._ragged(payloads)
        return layout.view(rows) if layout.matches(rows) else self._ragged(rows)

    def _ragged(self, payloads: Sequence[Payload] | NDArray[np.uint8]) -> Batch:
        """Decode messages one by one; they may still be alike apart from their padding."""
        rows = [self.layout_of(payload).view(_row(payload)) for payload in payloads]
        return RaggedBatch(self.struct, rows).take(slice(None))

    def _layout(self, lengths: dict[str, int]) -> Layout:
        """Return the kept or a new layout of `lengths`, which must be complete and in the order of the wire."""
        key = tuple(lengths.values())
        layout = self._layouts.get(key)
        return self._keep(key, Layout(self.struct, lengths)) if layout is None else layout

    def _keep(self, key: tuple[int, ...], layout: Layout) -> Layout:
        # Dicts keep the order of insertion: the oldest layout goes first.
        layout = self._layouts.setdefault(key, layout)
        if len(self._layouts) > _MAX_LAYOUTS:
            del self._layouts[next(iter(self._layouts))]
        return layout


def _memory(payload: Payload) -> memoryview:
    # The type of a NumPy array does not say that it is a buffer before Python 3.12.
    return memoryview(cast("bytes", payload))


def _row(payload: Payload) -> NDArray[np.uint8]:
    return np.frombuffer(payload, np.uint8)[None]


class LatestMessage:
    """Latest message of a stream, with memory and views that are reused while messages have the same lengths.

    Making the views of a message takes ten times as long as copying it into memory that has them.

    Args:
        codec: codec of the messages.
    """

    def __init__(self, codec: MessageCodec) -> None:
        self._codec = codec
        self._row: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._is_alike: Callable[[], bool] = bool
        self._batch: Batch | None = None

    def decode(self, payload: Payload) -> Batch:
        """Decode the message into a batch of one, which the next message overwrites.

        Raises:
            CodecError: the bytes are no message of this type.
        """
        # The same lengths as before: the views see the new bytes.
        found = np.frombuffer(payload, np.uint8)
        if self._batch is not None and found.size == self._row.size:
            self._row[:] = found
            if self._is_alike():
                return self._batch
        # Other lengths: new memory and views.
        layout = self._codec.layout_of(payload)
        self._row = found.copy()
        self._is_alike = layout.matcher(self._row[None])
        self._batch = layout.view(self._row[None])
        return self._batch
