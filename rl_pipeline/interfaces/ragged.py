"""Batches whose messages differ in the lengths of their strings and sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces.batch import Batch, Elements, Indices
from rl_pipeline.interfaces.types import CodecError, Struct
from rl_pipeline.plurals import plural


class RaggedBatch(Batch):
    """Messages of one type, each with a layout of its own.

    Fields are as in a Batch, but copies: if the lengths agree, an array or a Batch of all rows; if they differ, an
    object array of one array for each row; a sequence of messages is always a list of one Elements for each row.
    Assignment by path writes into the messages.
    """

    def __init__(self, struct: Struct, rows: list[Batch]) -> None:
        """Join batches of one row each."""
        self._struct = struct
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def array(self) -> NDArray[Any]:
        """Not available: messages of different lengths are no single array.

        Raises:
            CodecError: always.
        """
        raise CodecError(f"{self._struct.name}: messages of different lengths are no single array; take some rows")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _join([getattr(row, name) for row in self._rows])

    def __getitem__(self, path: str) -> Any:
        return _join([row[path] for row in self._rows])

    def __setitem__(self, path: str, value: Any) -> None:
        """Assign the same value to a field of all rows, or row i of an array or list of N."""
        # A list or array of N is a value for each row.
        each = isinstance(value, np.ndarray | list) and len(value) == len(self)
        for index, row in enumerate(self._rows):
            row[path] = value[index] if each else value

    def take(self, indices: Indices) -> Batch:
        """Copy the given rows, in their order."""
        chosen = np.arange(len(self))[indices].tolist()
        return _join_batches([self._rows[index].copy() for index in chosen]) if chosen else self._rows[0].take([])

    def assign(self, indices: Indices, other: Batch) -> None:
        """Replace the given rows by copies of the rows of `other`, which may have any lengths."""
        chosen = np.arange(len(self))[indices].tolist()
        if other._struct.name != self._struct.name or len(chosen) != len(other):
            raise CodecError(
                f"cannot assign {other!r} to {len(chosen)} {plural(len(chosen), 'row')} of {self._struct.name}"
            )
        for position, index in enumerate(chosen):
            self._rows[index] = other.take([position])

    def bytes(self, row: int) -> bytes:
        """Return the payload of one row, header included."""
        return self._rows[row].bytes(0)


def _join(values: list[Any]) -> Any:
    """Join the values of a field in all rows."""
    # Nested messages, sequences of messages or strings, texts, and arrays.
    if isinstance(values[0], Batch):
        return _join_batches(values)
    if isinstance(values[0], Elements | tuple):
        return values
    if isinstance(values[0], list):
        return [item for value in values for item in value]
    if len({value.shape for value in values}) == 1:
        return np.concatenate(values)
    joined = np.empty(len(values), object)
    joined[:] = [value[0] for value in values]
    return joined


def _join_batches(batches: list[Batch]) -> Batch:
    """Join batches of one row; return a plain Batch if all rows have the same layout."""
    first = batches[0]
    # Layouts may agree although the paddings did not.
    if len({batch.array.dtype for batch in batches}) > 1:
        return RaggedBatch(first._struct, batches)
    items = np.concatenate([batch._items for batch in batches])
    return Batch(first._struct, items.view(first.array.dtype), whole=first._whole)
