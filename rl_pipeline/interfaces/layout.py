"""Layouts: offsets of all fields of a message whose strings and sequences have given lengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.errors import UnknownNameError
from rl_pipeline.interfaces.batch import Batch
from rl_pipeline.interfaces.types import Array, CodecError, FieldType, Primitive, Sequence, String, Struct

Lengths: TypeAlias = Mapping[str, int]
"""Bytes of each string (without the NUL) and elements of each sequence by dotted path, such as `dim[0].label`."""

HEADER = b"\x00\x01\x00\x00"
"""The encapsulation header: plain CDR, little endian, no options."""

MAX_ELEMENTS = 4096
"""Maximum number of elements of one message that are laid out one by one, since they are no packed array."""

PADDING = 3
"""Maximum number of bytes after a message: ROS pads to a multiple of 4, with bytes of any value."""


def read_lengths(struct: Struct, payload: memoryview) -> dict[str, int]:
    """Walk one payload, header included, and return its lengths in the order of the wire.

    Raises:
        CodecError: not little-endian CDR, too short, too long (beyond padding), or a length is out of bounds.
    """
    if len(payload) < len(HEADER) or bytes(payload[:2]) != HEADER[:2]:
        found = bytes(payload[: len(HEADER)]).hex(" ") or "nothing"
        raise CodecError(f"{struct.name}: expected a little-endian CDR header ({HEADER.hex(' ')}), found {found}")
    # Walk over the fields, noting the lengths.
    reader = _Reader(struct.name, payload[len(HEADER) :])
    for name, type_ in struct.fields.items():
        reader.skip(type_, name)
    # A message without fields has one dummy byte in ROS, which is padded too.
    spare = len(reader.body) - reader.position
    if spare > PADDING + (not struct.fields):
        left = f"{spare} {'byte is' if spare == 1 else 'bytes are'} left over"
        raise CodecError(f"{struct.name}: {left} after {reader.position} of the message")
    return reader.lengths


class _Reader:
    """Cursor in the bytes of one message, with the lengths read so far."""

    def __init__(self, message: str, body: memoryview) -> None:
        self.message = message
        self.body = body
        self.position = 0
        self.elements = 0
        self.lengths: dict[str, int] = {}

    def skip(self, type_: FieldType, path: str) -> None:
        # Only strings and sequences have a length word.
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
        # Elements of a fixed size are stepped over at once, others one by one.
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
        # The first element is read, and the others have its size.
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
        """Step over `count` items of `size` bytes, aligned to their size or to `alignment`."""
        if count:
            self.position += -self.position % (alignment or size) + count * size
        if self.position > len(self.body):
            raise CodecError(
                f"{self.message}.{path}: expected at least {len(HEADER) + self.position} bytes, "
                f"found {len(HEADER) + len(self.body)}"
            )


def check_bound(message: str, path: str, length: int, bound: int) -> None:
    """Raise `CodecError` if a string or sequence is longer than its definition allows (0: any length)."""
    if bound and length > bound:
        raise CodecError(f"{message}.{path}: length {length}, allowed are at most {bound}")


def check_element_count(message: str, path: str, count: int) -> None:
    """Raise `CodecError` if a message has more than `MAX_ELEMENTS` elements that are laid out one by one."""
    if count > MAX_ELEMENTS:
        raise CodecError(f"{message}.{path}: {count} elements of varying size, allowed are at most {MAX_ELEMENTS}")


_BYTE = np.dtype(np.uint8)
_WORD = np.dtype("<u4")


class Layout:
    """Offsets of all messages of one type that agree in every length.

    Attributes:
        dtype: structured dtype over the whole payload, header included. Nested messages are nested dtypes, strings are
            bytes without their NUL, a sequence of messages that may vary in size is a struct of fields "0", "1", ...
        size: bytes of a payload, header included, trailing padding excluded.
        lengths: bytes of every string and elements of every sequence by dotted path, in the order of the wire.
    """

    def __init__(self, struct: Struct, lengths: Lengths) -> None:
        """Lay out `struct`; a length that is not given is 0.

        Raises:
            UnknownNameError: a path that is no string or sequence of the message.
            CodecError: a length that the definition does not allow.
        """
        # Offsets and lengths of the fields.
        placement = _Placement(struct.name, lengths)
        self._struct = struct
        self.dtype = placement.message(struct)
        self.size: int = self.dtype.itemsize
        self.lengths = placement.lengths
        if unknown := lengths.keys() - self.lengths.keys():
            raise UnknownNameError(f"string or sequence of {struct.name}", min(unknown), self.lengths)
        # A message of zeros with all length words, and these words to compare rows with.
        words = {0: int.from_bytes(HEADER, "little"), **placement.words}
        self._template = np.zeros(self.size, _BYTE)
        for offset, value in words.items():
            self._template[offset : offset + 4] = np.frombuffer(value.to_bytes(4, "little"), _BYTE)
        # All words lie on multiples of 4 (the header is one), so that rows can be compared as words.
        self._words_end = max(words) + 4
        self._word_index = np.array(sorted(words), np.intp) // 4
        self._expected = self._template[: self._words_end].view(_WORD)[self._word_index].tobytes()

    def matches(self, rows: NDArray[np.uint8]) -> bool:
        """Return whether every row, shape (N, >= size), has the header and all the lengths of this layout.

        Only the length words are compared; the caller knows that a row has `size` bytes of message.
        """
        return rows.shape[1] >= self.size and self.matcher(rows)()

    def matcher(self, rows: NDArray[np.uint8]) -> Callable[[], bool]:
        """Make a function that compares the current content of rows, for memory that is written to again and again."""
        words, index = rows[:, : self._words_end].view(_WORD), self._word_index
        expected = self._expected * len(rows)
        # Comparing bytes takes a third of the time that comparing arrays and asking for all() does.
        return lambda: words.take(index, 1).tobytes() == expected

    def view(self, rows: NDArray[np.uint8]) -> Batch:
        """View rows, shape (N, >= size) with a contiguous last axis, as a batch over the same memory."""
        return Batch(self._struct, rows[:, : self.size].view(self.dtype)[:, 0], whole=True)

    def empty(self, n: int) -> Batch:
        """Make a batch of `n` valid messages whose numbers are zero and whose strings are NULs."""
        # The message behind the 4-byte header is aligned to 8 bytes in every row.
        stride = -(-self.size // 8) * 8
        rows = np.zeros(n * stride + 8, _BYTE)[len(HEADER) :][: n * stride].reshape(n, stride)
        rows[:, : self.size] = self._template
        return self.view(rows)


class _Placement:
    """Places one field after another; positions count from the byte after the header."""

    def __init__(self, message: str, lengths: Lengths) -> None:
        self.name = message
        self.given = lengths
        self.lengths: dict[str, int] = {}
        self.words: dict[int, int] = {}
        self.elements = 0
        self.position = 0

    def message(self, struct: Struct) -> np.dtype[Any]:
        """Return the dtype of a complete payload."""
        placed = [self.place(type_, name) for name, type_ in struct.fields.items()]
        return np.dtype(
            {
                "names": list(struct.fields),
                "formats": [dtype for dtype, _ in placed],
                "offsets": [len(HEADER) + start for _, start in placed],
                "itemsize": len(HEADER) + self.position,
            }
        )

    def place(self, type_: FieldType, path: str) -> tuple[np.dtype[Any], int]:
        """Return the dtype of one field and its offset."""
        match type_:
            case Primitive(dtype):
                return self._block(dtype, None)
            case String(bound):
                return self._string(bound, path)
            case Struct():
                return self._group(
                    list(type_.fields), [self.place(inner, f"{path}.{name}") for name, inner in type_.fields.items()]
                )
            case Array(element, count):
                return self._elements(element, count, path)
            case Sequence(element, bound):
                # A count, then the elements as in an array.
                count = self._length(path, bound)
                self._word(count)
                return self._elements(element, count, path)

    def _string(self, bound: int, path: str) -> tuple[np.dtype[Any], int]:
        size = self._length(path, bound)
        self._word(size + 1)
        placed = self._block(_BYTE, size)
        self.position += 1  # the final NUL, which is no part of the field
        return placed

    def _elements(self, element: Primitive | String | Struct, count: int, path: str) -> tuple[np.dtype[Any], int]:
        # One array if possible, else a field for each element.
        if isinstance(element, Primitive):
            return self._block(element.dtype, count)
        if isinstance(element, Struct) and (alignment := element.alignment_if_packed):
            dtype, _ = _Placement(self.name, {}).place(element, path)
            return self._block(dtype, count, alignment)
        self.elements += count
        check_element_count(self.name, path, self.elements)
        names = [str(index) for index in range(count)]
        return self._group(names, [self.place(element, f"{path}[{name}]") for name in names])

    def _group(self, names: list[str], placed: list[tuple[np.dtype[Any], int]]) -> tuple[np.dtype[Any], int]:
        """Return one nested dtype of the fields that were just placed."""
        start = placed[0][1] if placed else self.position
        dtype = np.dtype(
            {
                "names": names,
                "formats": [dtype for dtype, _ in placed],
                "offsets": [offset - start for _, offset in placed],
                "itemsize": self.position - start,
            }
        )
        return dtype, start

    def _block(self, dtype: np.dtype[Any], count: int | None, alignment: int = 0) -> tuple[np.dtype[Any], int]:
        """Place one item (count None) or an array of them; an empty one is not aligned."""
        if count != 0:
            self.position += -self.position % (alignment or dtype.itemsize)
        start = self.position
        self.position += dtype.itemsize * (1 if count is None else count)
        return (dtype if count is None else np.dtype((dtype, (count,)))), start

    def _word(self, value: int) -> None:
        _, start = self._block(_WORD, None)
        # Length words are compared when messages are matched with the layout.
        self.words[len(HEADER) + start] = value

    def _length(self, path: str, bound: int) -> int:
        length = self.given.get(path, 0)
        if not 0 <= length < 2**31:
            raise CodecError(f"{self.name}.{path}: length {length}, expected one from 0 to {2**31 - 1}")
        check_bound(self.name, path, length, bound)
        self.lengths[path] = length
        return length
