"""Batches: N messages of one type as arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as SequenceOf
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from rl_pipeline.interfaces.assignment import as_array, difference_of
from rl_pipeline.interfaces.types import Array, CodecError, FieldType, Sequence, String, Struct, unknown_field

_ALIGNMENT: Final = 8
"""Size of CDR's largest numbers in bytes, at multiples of which they lie in a message."""

Indices: TypeAlias = SequenceOf[int] | NDArray[np.integer[Any]] | NDArray[np.bool_] | slice


class Batch:
    """N messages of one type, over memory that holds them as bytes.

    Fields are attributes: `batch.pose.position.x` is a view of shape (N,), `batch.lidar.ranges` one of shape (N, 30),
    a nested message is a Batch, a string field a list of N `str`, a sequence of strings N lists of `str`, and a
    sequence of messages an `Elements`. Views are made once, so that in a loop over the same memory an access costs a
    look-up; strings are decoded at each access. `batch["pose.position.x"]` does the same by dotted path, except that
    it returns strings as their bytes, shape (N, length), and a sequence of strings as a tuple of those; it also reaches
    fields that are named like a method.

    Arrays that belong to the messages but are no field of them, such as decoded images, can be attached; they are
    attributes too, and are taken and assigned with the rows.

    Attributes:
        computed: results of `once_settled` functions for these messages, by function; None unless they are settled.
    """

    computed: dict[Any, Any] | None = None

    def __init__(self, struct: Struct, array: NDArray[Any], *, whole: bool = False) -> None:
        """Wrap `array`, a structured array of shape (N,); `whole`: its items are complete payloads, header included."""
        self._struct = struct
        self._array = array
        self._whole = whole
        self._by_path: dict[str, Any] = {}
        self._attached: dict[str, NDArray[Any]] = {}
        self._alike = array.dtype

    def __len__(self) -> int:
        return len(self._array)

    @property
    def array(self) -> NDArray[Any]:
        """The structured array, shape (N,)."""
        return self._array

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        # Called once a field: the view is kept as an attribute, unless it holds text.
        type_ = self._struct.fields.get(name)
        if type_ is None:
            raise AttributeError(str(unknown_field(self._struct, name)))
        value = self._view(name)
        if isinstance(type_, String):
            return [_text(self._struct, name, row) for row in value]
        if _is_strings(type_):
            return [[_text(self._struct, name, item[row]) for item in value] for row in range(len(self))]
        self.__dict__[name] = value
        return value

    def __getitem__(self, path: str) -> Any:
        try:
            return self._by_path[path]
        except KeyError:
            pass
        try:
            value = self._by_path[path] = self._resolve(path)
        except (KeyError, IndexError, ValueError, TypeError):
            raise unknown_field(self._struct, path) from None
        return value

    def __setitem__(self, path: str, value: Any) -> None:
        """Assign to a field of all rows; a value without the leading axis N is assigned to each.

        Raises:
            UnknownNameError: no such field.
            CodecError: the field cannot hold the value, or only at another length.
        """
        target = self[path]
        self.computed = None
        # Arrays first, which the steps of an environment assign.
        try:
            if isinstance(target, np.ndarray):
                target[...] = value if type(value) is np.ndarray else as_array(value, target)
            elif isinstance(target, Batch) and isinstance(value, Batch):
                target.assign(slice(None), value)
            elif isinstance(target, Batch) and isinstance(value, Mapping):
                for name, item in value.items():
                    target[name] = item
            else:
                raise TypeError(f"cannot take a {type(value).__name__} as a whole; assign to its items or fields")
        except (ValueError, TypeError, OverflowError) as error:
            raise CodecError(f"{self._struct.name}.{path}: {error}") from None

    def attach(self, name: str, array: NDArray[Any]) -> None:
        """Make an array of leading axis N the attribute `name`, in place of any field of that name."""
        self._attached[name] = self.__dict__[name] = array

    def settle(self) -> None:
        """Mark the messages as unchanged until rows or fields are next assigned to by this class."""
        self.computed = {}

    @property
    def struct(self) -> Struct:
        """Type of the messages."""
        return self._struct

    def take(self, indices: Indices) -> Batch:
        """Copy the given rows, in their order."""
        taken = Batch(self._struct, _aligned_copy(self._items[indices], self._array), whole=self._whole)
        for name, array in self._attached.items():
            taken.attach(name, array[indices].copy())
        return taken

    def copy(self) -> Batch:
        """Copy all rows."""
        return self.take(slice(None))

    def opaque(self) -> NDArray[Any]:
        """Copy all rows as opaque bytes, shape (N,), the cheapest copy; view it as `array.dtype` to read it."""
        return self._items.copy()

    def assign(self, indices: Indices, other: Batch) -> None:
        """Overwrite the given rows with the rows of `other`, a batch of the same type with the same lengths.

        Raises:
            CodecError: another type, or a string or sequence of another length.
        """
        # Attached arrays of both.
        source = other._array
        self.computed = None
        for name, array in other._attached.items():
            if name in self._attached:
                self._attached[name][indices] = array
        # Rows of the same dtype are copied as bytes. Comparing dtypes of many fields takes longer than copying a row.
        if source.dtype is self._alike or source.dtype == self._array.dtype:
            self._alike = source.dtype
            self._items[indices] = other._items
        elif other._struct.name != self._struct.name:
            raise CodecError(f"cannot assign {other._struct.name} to {self._struct.name}: the types differ")
        elif (difference := difference_of(self._array.dtype, source.dtype, self._struct.name)) is not None:
            raise CodecError(difference)
        else:
            self._array[indices] = source

    def bytes(self, row: int) -> bytes:
        """Return the payload of one row, header included. Raises `CodecError` for a nested message."""
        if not self._whole:
            raise CodecError(f"{self._struct.name}: only a whole message has a payload, this is a field of one")
        payload: bytes = self._items[row].tobytes()
        return payload

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._struct.fields]

    def __repr__(self) -> str:
        return f"<{len(self)} x {self._struct.name}: {', '.join(self._struct.fields)}>"

    @cached_property
    def _items(self) -> NDArray[Any]:
        """The messages as opaque bytes, which are copied at once, with the length words between the fields."""
        return self._array.view(f"V{self._array.dtype.itemsize}") if self._array.dtype.itemsize else self._array

    def _view(self, name: str) -> Any:
        """Return one field: an array, a Batch, an Elements, or for a sequence of strings a tuple of their bytes."""
        type_, value = self._struct.fields[name], self._array[name]
        if isinstance(type_, Struct):
            return Batch(type_, value)
        if isinstance(type_, Array | Sequence) and isinstance(type_.element, Struct):
            return Elements(type_.element, value)
        if _is_strings(type_):
            return tuple(value[item] for item in value.dtype.names or ())
        return value

    def _resolve(self, path: str) -> Any:
        # `name[index].rest`: one step, then the rest.
        head, dot, rest = path.partition(".")
        name, bracket, index = head.removesuffix("]").partition("[")
        value = self._view(name)
        if bracket:
            value = value[int(index)]
        if not dot:
            return value
        # A field of all elements, if they are laid out alike.
        if isinstance(value, Elements):
            value = value.stacked
        if not isinstance(value, Batch):
            raise KeyError(path)
        return value._resolve(rest)


class Elements:
    """A sequence of messages in each of N messages: item i is the Batch of all i-th elements.

    If the elements have one layout and are equally spaced, their fields are attributes too: `batch.poses.position.x`
    is a view of shape (N, number of poses). This is always so for elements without strings and sequences; for others if
    these have the same lengths in each, and the elements begin with a field of 8 bytes, to which each is aligned.
    """

    def __init__(self, struct: Struct, array: NDArray[Any]) -> None:
        """Wrap a structured array: of shape (N, count), or of shape (N,) with fields "0", "1", ..."""
        self._struct = struct
        self._array = array
        self._packed = struct.alignment_if_packed is not None
        stack = array if self._packed else _stack(array)
        self._stacked = None if stack is None else Batch(struct, stack)

    def __len__(self) -> int:
        return self._array.shape[-1] if self._packed else len(self._array.dtype.names or ())

    def __iter__(self) -> Iterator[Batch]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Batch:
        position = range(len(self))[index]
        return Batch(self._struct, self._array[..., position] if self._packed else self._array[str(position)])

    @property
    def stacked(self) -> Batch | None:
        """View of all elements whose fields have the shape (N, count, ...); None if their layouts differ."""
        return self._stacked

    def rows(self) -> Batch:
        """Copy all elements, message by message, into a batch of N * count.

        Raises:
            CodecError: the layouts of the elements differ.
        """
        if self._stacked is None:
            raise CodecError(
                f"elements of {self._struct.name} vary in size or distance, and are no single array; their strings and "
                f"sequences must have the same lengths in each, and their first field 8 bytes"
            )
        stack = self._stacked.array
        items = stack.view(f"V{stack.dtype.itemsize}") if stack.dtype.itemsize else stack
        return Batch(self._struct, _aligned_copy(items.reshape(-1), stack))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if self._stacked is None:
            raise AttributeError(f"elements of {self._struct.name} vary in size: take one first, such as [0].{name}")
        return getattr(self._stacked, name)


def _aligned_copy(items: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Copy opaque items, shape (N,), as messages of the dtype of `like`, each aligned as the first one there.

    Computing with a field that is not aligned takes NumPy up to nine times as long.
    """
    # The alignment of the first byte stays, and rows are a multiple of 8 bytes apart.
    dtype = like.dtype
    lead, stride = like.ctypes.data % _ALIGNMENT, -(-dtype.itemsize // _ALIGNMENT) * _ALIGNMENT
    copy: NDArray[Any] = np.ndarray(
        len(items), items.dtype, np.zeros(lead + len(items) * stride, np.uint8), lead, (stride,)
    )
    copy[:] = items
    return copy.view(dtype)


def _stack(array: NDArray[Any]) -> NDArray[Any] | None:
    """View elements that are the fields "0", "1", ... of an array of shape (N,) as one of shape (N, count).

    Returns:
        None if there are none, their layouts differ, or they are not equally spaced.
    """
    # Equal dtypes at equal distances are one array.
    placed = [field[:2] for field in (array.dtype.fields or {}).values()]
    distances = {later - earlier for (_, earlier), (_, later) in itertools.pairwise(placed)} or {0}
    if not placed or len(distances) > 1 or any(dtype != placed[0][0] for dtype, _ in placed):
        return None
    return as_strided(array["0"], (*array.shape, len(placed)), (*array.strides, distances.pop()))


def _is_strings(type_: FieldType) -> bool:
    return isinstance(type_, Array | Sequence) and isinstance(type_.element, String)


def _text(struct: Struct, name: str, characters: NDArray[np.uint8]) -> str:
    try:
        return characters.tobytes().decode()
    except UnicodeDecodeError as error:
        raise CodecError(f"{struct.name}.{name}: no UTF-8 text: {error}") from None
