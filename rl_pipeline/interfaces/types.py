"""Types of the fields of messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from rl_pipeline.errors import UnknownNameError

Constant: TypeAlias = bool | int | float | str

PRIMITIVES: dict[str, np.dtype[Any]] = {
    "bool": np.dtype(np.bool_),
    "byte": np.dtype("<i1"),
    "char": np.dtype(np.uint8),
    "int8": np.dtype("<i1"),
    "uint8": np.dtype("<u1"),
    "int16": np.dtype("<i2"),
    "uint16": np.dtype("<u2"),
    "int32": np.dtype("<i4"),
    "uint32": np.dtype("<u4"),
    "int64": np.dtype("<i8"),
    "uint64": np.dtype("<u8"),
    "float32": np.dtype("<f4"),
    "float64": np.dtype("<f8"),
}
"""Dtype of each primitive type; each is aligned to its own size."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """A number or a bool."""

    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class String:
    """UTF-8 text of at most `bound` bytes (0: any number)."""

    bound: int = 0


@dataclass(frozen=True)
class Struct:
    """A message type: named fields, in the order of the wire.

    Attributes:
        name: two-part name, such as `geometry_msgs/Pose`.
        fields: type of each field by name.
        constants: value of each constant by name.
    """

    name: str
    fields: dict[str, FieldType]
    constants: dict[str, Constant] = field(default_factory=dict)

    @cached_property
    def alignment_if_packed(self) -> int | None:
        """Alignment of this struct if elements of it always follow each other without a gap in a sequence, else None.

        Then, and only then, a sequence of it is one array: every leaf has a fixed size, the first one has the strictest
        alignment, and the size of the struct is a multiple of that.
        """
        # Size so far, with padding; alignment of the first leaf, and the strictest of all.
        size, first, strictest = 0, 0, 1
        for leaf in _leaves(self):
            if leaf is None:
                return None
            first = first or leaf
            strictest = max(strictest, leaf)
            size += -size % leaf + leaf
        return strictest if first == strictest and size % strictest == 0 else None


@dataclass(frozen=True, slots=True)
class Array:
    """A fixed number of elements, without a count on the wire."""

    element: Primitive | String | Struct
    count: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A count, then that many elements, at most `bound` (0: any number)."""

    element: Primitive | String | Struct
    bound: int = 0


FieldType: TypeAlias = Primitive | String | Struct | Array | Sequence


def _leaves(type_: FieldType) -> Iterator[int | None]:
    """Yield the size of every primitive in the order of the wire, and None for a part without a fixed size."""
    match type_:
        case Primitive(dtype):
            yield dtype.itemsize
        case Struct():
            for inner in type_.fields.values():
                yield from _leaves(inner)
        case Array(element, count):
            for _ in range(count):
                yield from _leaves(element)
        case _:
            yield None


def unknown_field(struct: Struct, path: str) -> UnknownNameError:
    """Make the error for a path that is no field, with the nearest fields."""
    return UnknownNameError(f"field of {struct.name}", path, field_paths(struct))


def field_paths(struct: Struct, prefix: str = "") -> Iterator[str]:
    """Yield the dotted paths of all fields, nested ones after their message."""
    for name, type_ in struct.fields.items():
        yield prefix + name
        if isinstance(type_, Struct):
            yield from field_paths(type_, f"{prefix}{name}.")


class CodecError(ValueError):
    """Bytes that are not a message of the expected type, or values that the type cannot hold.

    The message names the type and the field.
    """
