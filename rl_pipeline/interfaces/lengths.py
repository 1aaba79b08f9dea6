"""The lengths of every string and sequence of one message, read from its bytes.

The encoding is plain CDR (XCDR1), little endian, behind a header of 4 bytes: each primitive is aligned to its own size
from the byte after the header; a string is a u32 length that counts the final NUL, the UTF-8 bytes and the NUL; a
sequence is a u32 count and its elements, which are aligned only when there are any; nested messages are inlined.
As in Unity's reader, the last byte of a string is dropped without a look at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from rl_pipeline.interfaces.errors import CodecError
from rl_pipeline.interfaces.field_types import Array, FieldType, Primitive, Sequence, String, Struct

Lengths: TypeAlias = Mapping[str, int]
"""Bytes of each string (without the NUL) and elements of each sequence by dotted path, such as `dim[0].label`."""

HEADER = b"\x00\x01\x00\x00"
"""The encapsulation header: plain CDR, little endian, no options."""

MAX_ELEMENTS = 4096
"""Most elements of one message that are laid out one by one (those that are not packed into one array)."""

PADDING = 3
"""Most bytes that may follow a message: ROS pads to a multiple of 4, with bytes of any value."""


def read_lengths(struct: Struct, payload: memoryview) -> dict[str, int]:
    """Walk one payload, header included, and return its lengths in the order of the wire.

    Raises:
        CodecError: no little-endian CDR, cut short, bytes left over (beyond padding), or a length that cannot be.
    """
    if len(payload) < len(HEADER) or bytes(payload[:2]) != HEADER[:2]:
        found = bytes(payload[: len(HEADER)]).hex(" ") or "nothing"
        raise CodecError(f"{struct.name}: expected a little-endian CDR header ({HEADER.hex(' ')}), found {found}")
    reader = _Reader(struct.name, payload[len(HEADER) :])
    for name, type_ in struct.fields.items():
        reader.skip(type_, name)
    # ROS gives a message without fields one dummy byte, and pads that too.
    spare = len(reader.body) - reader.position
    if spare > PADDING + (not struct.fields):
        left = f"{spare} {'byte is' if spare == 1 else 'bytes are'} left over"
        raise CodecError(f"{struct.name}: {left} after {reader.position} of the message")
    return reader.lengths


class _Reader:
    """A position in the bytes of one message, and the lengths seen so far."""

    def __init__(self, message: str, body: memoryview) -> None:
        self.message, self.body = message, body
        self.position = 0
        self.elements = 0
        self.lengths: dict[str, int] = {}

    def skip(self, type_: FieldType, path: str) -> None:
        match type_:
            case Primitive(dtype):
                self._advance(1, dtype.itemsize, path)
            case String(bound):
                self._string(bound, path)
            case Struct():
                for name, inner in type_.fields.items():
                    self.skip(inner, f"{path}.{name}")
            case Array(element, count):
                self._elements(element, count, path)
            case Sequence(element, bound):
                count = self._length(path)
                check_bound(self.message, path, count, bound)
                self.lengths[path] = count
                self._elements(element, count, path)

    def _string(self, bound: int, path: str) -> None:
        size = self._length(path)
        if size < 1:
            raise CodecError(f"{self.message}.{path}: a string of length 0, expected at least its final NUL")
        self._advance(size, 1, path)
        check_bound(self.message, path, size - 1, bound)
        self.lengths[path] = size - 1

    def _elements(self, element: Primitive | String | Struct, count: int, path: str) -> None:
        if isinstance(element, Primitive):
            self._advance(count, element.dtype.itemsize, path)
        elif isinstance(element, Struct) and element.alignment_if_packed:
            self._packed(element, count, path)
        else:
            self.elements += count
            check_element_count(self.message, path, self.elements)
            for index in range(count):
                self.skip(element, f"{path}[{index}]")

    def _packed(self, element: Struct, count: int, path: str) -> None:
        if count:
            self.position += -self.position % (element.alignment_if_packed or 1)
            start = self.position
            for name, inner in element.fields.items():
                self.skip(inner, f"{path}[0].{name}")
            self._advance(count - 1, self.position - start, path, alignment=1)

    def _length(self, path: str) -> int:
        self._advance(1, 4, path)
        return int.from_bytes(self.body[self.position - 4 : self.position], "little")

    def _advance(self, count: int, size: int, path: str, alignment: int | None = None) -> None:
        """Step over `count` items of `size` bytes, aligned to their size unless said otherwise."""
        if count:
            self.position += -self.position % (alignment or size) + count * size
        if self.position > len(self.body):
            raise CodecError(
                f"{self.message}.{path}: expected at least {len(HEADER) + self.position} bytes, "
                f"found {len(HEADER) + len(self.body)}"
            )


def check_bound(message: str, path: str, length: int, bound: int) -> None:
    """Raise CodecError if a string or sequence is longer than its definition allows (0: any length)."""
    if bound and length > bound:
        raise CodecError(f"{message}.{path}: length {length}, allowed are at most {bound}")


def check_element_count(message: str, path: str, count: int) -> None:
    """Raise CodecError if a message has more elements, up to that of `path`, than are laid out one by one."""
    if count > MAX_ELEMENTS:
        raise CodecError(f"{message}.{path}: {count} elements of varying size, allowed are at most {MAX_ELEMENTS}")
