"""Assignment to fields: values as arrays, and the difference between two layouts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.plurals import plural

_WHOLE: Final = "biu"
"""Kinds of dtypes that hold no fractions."""


def as_array(value: Any, target: NDArray[Any]) -> Any:
    """Convert a value for assignment to `target`: text and bytes to arrays, lists of them to rows; others stay.

    Raises:
        ValueError: text or bytes for an array of numbers, or of another length; or a fraction for whole numbers.
    """
    # The hot path: arrays are left to NumPy.
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, list | tuple) and value and isinstance(value[0], str | bytes):
        return np.stack([as_array(item, target) for item in value])
    if isinstance(value, str):
        value = value.encode()
    # Numbers, which NumPy would round.
    if not isinstance(value, bytes | bytearray | memoryview):
        if isinstance(value, float) and target.dtype.kind in _WHOLE and not value.is_integer():
            raise ValueError(f"expected a whole number, found {value}")
        return value
    # Bytes, of the length that the layout has.
    if target.ndim < 2 or target.dtype.itemsize != 1:
        raise ValueError("expected numbers, found text or bytes")
    if len(value) != target.shape[-1]:
        count = target.shape[-1]
        raise ValueError(
            f"expected {count} {plural(count, 'byte')} (the layout fixes every length), found {len(value)}"
        )
    return np.frombuffer(value, target.dtype if target.dtype.kind == "i" else np.uint8)


def fill_exactly(target: NDArray[Any], value: Any) -> None:
    """Assign a value to the one row of `target`, shape (1, ...).

    Raises:
        ValueError: the field would hold another value, such as 1 for 1.5; or as `as_array` does.
        TypeError, OverflowError: as NumPy does.
    """
    value = as_array(value, target)
    # NumPy casts without a word: compare afterwards.
    with np.errstate(invalid="ignore"):
        target[0] = value
    if target.dtype.kind in _WHOLE and not np.array_equal(target[0], value):
        kind = "true or false" if target.dtype.kind == "b" else f"whole numbers of type {target.dtype}"
        raise ValueError(f"expected {kind}, found {value}")


def difference_of(expected: np.dtype[Any], found: np.dtype[Any], path: str) -> str | None:
    """Describe the first field in which two dtypes differ; return None if only their padding differs."""
    if expected.names is None or found.names is None:
        return None if expected == found else f"{path}: expected {expected}, found {found}"
    if expected.names != found.names:
        count = len(expected.names)
        return f"{path}: expected {count} {plural(count, 'element')}, found {len(found.names)}"
    # Padding is in the offsets, which are not compared.
    for name in expected.names:
        ours, theirs, inner = expected[name], found[name], f"{path}.{name}"
        if ours.shape != theirs.shape:
            return f"{inner}: expected length {ours.shape[0]}, found {theirs.shape[0]}"
        if (difference := difference_of(ours.base, theirs.base, inner)) is not None:
            return difference
    return None
