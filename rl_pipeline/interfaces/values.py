"""Conversion of one message between plain values (nested mappings) and a row of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as SequenceOf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces.assignment import fill_exactly
from rl_pipeline.interfaces.batch import Batch
from rl_pipeline.interfaces.types import (
    Array,
    CodecError,
    FieldType,
    Primitive,
    Sequence,
    String,
    Struct,
    unknown_field,
)
from rl_pipeline.plurals import plural


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Split dotted names, at any depth: `{"a.b": 1}` becomes `{"a": {"b": 1}}`.

    Raises:
        CodecError: a field is given both as a whole and by its own fields.
    """
    nested: dict[str, Any] = {}
    # Names of different depths may lead to the same mapping.
    for path, value in values.items():
        *parents, name = path.split(".")
        target = nested
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise CodecError(f"{path}: {parent} is given both as a whole and by its fields")
        # Dotted names may be inside nested values too.
        if isinstance(value, Mapping):
            value = nest(value)
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            value = [nest(item) if isinstance(item, Mapping) else item for item in value]
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            target[name].update(value)
        else:
            target[name] = value
    return nested


def measure(struct: Struct, values: Mapping[str, Any]) -> dict[str, int]:
    """Return the lengths of all strings and sequences of `values`, in the order of the wire.

    Raises:
        UnknownNameError: a name that is no field.
        CodecError: a value that cannot be of the field's type.
    """
    lengths: dict[str, int] = {}
    for name, value in _fields(struct, values, struct.name):
        _measure(struct.fields[name], value, name, struct.name, lengths)
    return lengths


def fill(struct: Struct, values: Mapping[str, Any], row: NDArray[Any]) -> None:
    """Write `values` into a structured array of shape (1,) that has their lengths and is zero elsewhere.

    Raises:
        CodecError: a value that its field cannot hold.
    """
    for name, value in values.items():
        _fill(struct.fields[name], value, row[name], f"{struct.name}.{name}")


def row_values(batch: Batch, row: int) -> dict[str, Any]:
    """Return the values of one message of a batch, see `plain`."""
    return plain(batch.struct, batch.array[row].item())


def plain(struct: Struct, item: tuple[Any, ...]) -> dict[str, Any]:
    """Convert one item of a structured array, given as a tuple, to numbers, `str`, arrays, lists and nested dicts.

    Raises:
        CodecError: a string is not UTF-8.
    """
    return _plain_fields(struct, item, struct.name)


def _fields(struct: Struct, values: Any, path: str) -> list[tuple[str, Any]]:
    """Return all fields in the order of the wire, with None for those that are not given."""
    if values is None:
        return [(name, None) for name in struct.fields]
    if not isinstance(values, Mapping):
        raise CodecError(f"{path}: expected a mapping of the fields of {struct.name}, found {type(values).__name__}")
    for name in values:
        if name not in struct.fields:
            raise unknown_field(struct, name)
    return [(name, values.get(name)) for name in struct.fields]


def _measure(type_: FieldType, value: Any, path: str, message: str, lengths: dict[str, int]) -> None:
    # Primitives have no length.
    match type_:
        case String():
            lengths[path] = len(_encode(value, f"{message}.{path}"))
        case Struct():
            for name, inner in _fields(type_, value, f"{message}.{path}"):
                _measure(type_.fields[name], inner, f"{path}.{name}", message, lengths)
        case Array(element, count):
            if value is not None and _count(value, f"{message}.{path}") != count:
                raise CodecError(f"{message}.{path}: expected {count} {plural(count, 'element')}, found {len(value)}")
            _measure_elements(element, [None] * count if value is None else value, path, message, lengths)
        case Sequence(element):
            lengths[path] = 0 if value is None else _count(value, f"{message}.{path}")
            _measure_elements(element, () if value is None else value, path, message, lengths)


def _measure_elements(
    element: Primitive | String | Struct, values: Any, path: str, message: str, lengths: dict[str, int]
) -> None:
    if not isinstance(element, Primitive):
        for index, value in enumerate(values):
            _measure(element, value, f"{path}[{index}]", message, lengths)


def _fill(type_: FieldType, value: Any, target: NDArray[Any], path: str) -> None:
    if value is None:  # stays zero
        return
    match type_:
        case String():
            target[0] = np.frombuffer(_encode(value, path), np.uint8)
        case Struct():
            for name, inner in value.items():
                _fill(type_.fields[name], inner, target[name], f"{path}.{name}")
        case Array(element) | Sequence(element) if not isinstance(element, Primitive):
            for index, inner in enumerate(value):
                # Elements are an axis if they are packed, else fields "0", "1", ...
                item = target[str(index)] if target.dtype.names and target.ndim == 1 else target[:, index]
                _fill(element, inner, item, f"{path}[{index}]")
        case _:
            try:
                fill_exactly(target, value)
            except (ValueError, TypeError, OverflowError) as error:
                raise CodecError(f"{path}: {error}") from None


def _plain_fields(struct: Struct, item: tuple[Any, ...], path: str) -> dict[str, Any]:
    return {
        name: value if isinstance(type_, Primitive) else _plain(type_, value, f"{path}.{name}")
        for (name, type_), value in zip(struct.fields.items(), item, strict=True)
    }


def _plain(type_: FieldType, value: Any, path: str) -> Any:
    match type_:
        case String():
            try:
                return value.tobytes().decode()
            except UnicodeDecodeError as error:
                raise CodecError(f"{path}: no UTF-8 text: {error}") from None
        case Struct():
            return _plain_fields(type_, value, path)
        case Array(element) | Sequence(element) if not isinstance(element, Primitive):
            # Packed elements are an array, others a tuple.
            items = value.tolist() if isinstance(value, np.ndarray) else value
            return [_plain(element, item, f"{path}[{index}]") for index, item in enumerate(items)]
        case _:
            return value.copy()


def _encode(value: Any, path: str) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, str):
        raise CodecError(f"{path}: expected text, found {type(value).__name__}")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise CodecError(f"{path}: {error}") from None


def _count(value: Any, path: str) -> int:
    # Bytes are a sequence of numbers, text is not.
    if isinstance(value, bytes | bytearray):
        return len(value)
    if isinstance(value, str) or not isinstance(value, SequenceOf | np.ndarray | memoryview) or not np.ndim(value):
        raise CodecError(f"{path}: expected a sequence, found {type(value).__name__}")
    return len(value)
