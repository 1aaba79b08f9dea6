"""The reference codec, and definitions that put every kind of field next to every other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from rl_pipeline.interfaces import Batch, Elements, Interfaces, load_interfaces

REPOSITORY = Path(__file__).parents[2]
OWN_PACKAGE = REPOSITORY / "ros_ws" / "src" / "interfaces_pkg"

AWKWARD = {
    "Mixed": "uint8 small\nfloat64 large",
    "Padded": "float64 large\nuint8 small",
    "Holder": "string[] names\nuint16[] ids",
    "OnlySequence": "float64[] values",
    "Awkward": """
        uint8 LIMIT=7
        string GREETING="hello"
        string<=5 short_text
        string[] names
        string[2] pair
        uint8 flag
        Mixed[] mixed
        Mixed[2] two_mixed
        Padded[] padded
        geometry_msgs/Point[] points
        geometry_msgs/Point32[3] corners
        Holder[<=2] holders
        OnlySequence only_sequence
        builtin_interfaces/Time[] stamps
        bool[] bits
        byte[] raw
        char[3] letters
        char letter
        byte single
        std_msgs/Float64MultiArray grid
        int64 last
    """,
}


class Reference:
    """Random messages, rosbags' bytes of them, and what their values are."""

    def __init__(self) -> None:
        self.store = get_typestore(Stores.ROS2_JAZZY)
        types: dict[str, Any] = {}
        for path in OWN_PACKAGE.glob("msg/*.msg"):
            types |= get_types_from_msg(path.read_text(), f"interfaces_pkg/msg/{path.stem}")
        for path in OWN_PACKAGE.glob("srv/*.srv"):
            for half, text in zip(("Request", "Response"), path.read_text().split("---"), strict=True):
                types |= get_types_from_msg(text, f"interfaces_pkg/msg/{path.stem}_{half}")
        for name, text in AWKWARD.items():
            types |= get_types_from_msg(text, f"awkward_msgs/msg/{name}")
        self.store.register(types)

    def message(self, name: str, shape: np.random.Generator, content: np.random.Generator) -> Any:
        """A message whose lengths are drawn from `shape` and whose values from `content`."""
        name = name if "/msg/" in name else name.replace("/", "/msg/")
        fields = {field: self._value(type_, shape, content) for field, type_ in self.store.fielddefs[name][1]}
        return self.store.types[name](**fields)

    def serialize(self, message: Any) -> bytes:
        return bytes(self.store.serialize_cdr(message, message.__msgtype__, little_endian=True))

    def plain(self, value: Any) -> Any:
        """The message as nested dicts, without the dummy field of empty ones."""
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if not hasattr(value, "__msgtype__"):
            return value
        names = [name for name, _ in self.store.fielddefs[value.__msgtype__][1]]
        return {name: self.plain(getattr(value, name)) for name in names if not name.startswith("structure_needs_")}

    def row_values(self, batch: Batch, row: int, like: dict[str, Any]) -> dict[str, Any]:
        """The values of one row, read through the attributes of the batch, or by path where a method has the name."""
        fields = {name: batch[name] if hasattr(Batch, name) else getattr(batch, name) for name in like}
        return {name: self._row_value(fields[name], row, value) for name, value in like.items()}

    def assert_same(self, ours: Any, theirs: Any) -> None:
        """Equality of nested values; NaN equals NaN."""
        if isinstance(theirs, dict):
            assert list(ours) == list(theirs)
            for name in theirs:
                self.assert_same(ours[name], theirs[name])
        elif isinstance(theirs, list):
            assert len(ours) == len(theirs)
            for left, right in zip(ours, theirs, strict=True):
                self.assert_same(left, right)
        else:
            np.testing.assert_array_equal(ours, theirs)

    def _row_value(self, value: Any, row: int, like: Any) -> Any:
        if isinstance(value, Batch):
            return self.row_values(value, row, like)
        if isinstance(value, Elements):
            return [self.row_values(element, row, item) for element, item in zip(value, like, strict=True)]
        if isinstance(value, list) and isinstance(value[row], Elements):
            return self._row_value(value[row], 0, like)
        return value[row]

    def _value(self, type_: Any, shape: np.random.Generator, content: np.random.Generator) -> Any:
        kind, inner = type_
        if kind == Nodetype.NAME:
            return self.message(inner, shape, content)
        if kind == Nodetype.BASE:
            return _text(shape, content, inner[1]) if inner[0] == "string" else _numbers(inner[0], 1, content)[0].item()
        element, count = inner
        if kind == Nodetype.SEQUENCE:
            count = int(shape.integers(0, (count or 3) + 1))
        if element[0] == Nodetype.BASE and element[1][0] != "string":
            return _numbers(element[1][0], count, content)
        return [self._value(element, shape, content) for _ in range(count)]


def _text(shape: np.random.Generator, content: np.random.Generator, bound: int) -> str:
    """Text whose number of bytes comes from `shape` alone."""
    size = int(shape.integers(0, min(bound or 9, 9) + 1))
    wide = "é" * (size // 2) if content.integers(2) else ""
    return wide + "".join(chr(content.integers(0, 128)) for _ in range(size - len(wide.encode())))


def _numbers(name: str, count: int, content: np.random.Generator) -> Any:
    dtype = np.dtype({"bool": "?", "byte": "i1", "char": "u1"}.get(name, name))
    if name == "bool":
        return content.integers(0, 2, count).astype(dtype)
    return np.frombuffer(content.bytes(count * dtype.itemsize), dtype)


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference()


def _write_package(workspace: Path, name: str, files: dict[str, str]) -> Path:
    package = workspace / name
    package.mkdir(parents=True)
    (package / "package.xml").write_text(f"<package format='3'><name>{name}</name></package>")
    for path, text in files.items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text)
    return package


@pytest.fixture(scope="session")
def write_package() -> Callable[[Path, str, dict[str, str]], Path]:
    """Writes a package with the given files into a workspace folder, and returns the package's folder."""
    return _write_package


@pytest.fixture(scope="session")
def interfaces(tmp_path_factory: pytest.TempPathFactory) -> Interfaces:
    """The repository's own workspace, and the awkward messages beside it."""
    workspace = tmp_path_factory.mktemp("workspace")
    _write_package(workspace, "awkward_msgs", {f"msg/{name}.msg": text for name, text in AWKWARD.items()})
    return load_interfaces(workspace, OWN_PACKAGE)
