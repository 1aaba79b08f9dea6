"""Bag: a folder with an MCAP file and its metadata.yaml, which appears when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Interfaces, load_interfaces
from rl_pipeline.interfaces.types import Array, FieldType, Sequence, Struct

VERSION: Final = 9
"""Of metadata.yaml, as Iron and later write it."""


class BagFile:
    """A bag that messages are written to, in any order of topics; types are those that `load_interfaces` knows.

    Args:
        path: folder of the bag; one that is there already is replaced when the new one is complete.
        facts: further entries of its metadata.

    Raises:
        InputError: the folder cannot be written.
    """

    def __init__(self, path: Path, facts: Mapping[str, str]) -> None:
        self.path = path
        self._temporary = path.with_name(f".{path.name}.partial")
        self._interfaces = load_interfaces()
        self._types = get_typestore(Stores.ROS2_JAZZY)
        self._connections: dict[str, Connection] = {}
        self._writer = Writer(self._temporary / path.name, version=VERSION, storage_plugin=StoragePlugin.MCAP)
        for key, value in facts.items():
            self._writer.set_custom_data(key, value)
        try:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._writer.open()
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, topic: str, type_name: str, values: Mapping[str, Any], stamp: int) -> None:
        """Write a message of a type (`package/Type`) with a time stamp in nanoseconds.

        Raises:
            InputError: the disk takes no more.
        """
        codec = self._interfaces.message(type_name)
        if topic not in self._connections:
            package, _, name = codec.name.partition("/")
            _register(self._types, self._interfaces, codec.struct)
            self._connections[topic] = self._writer.add_connection(
                topic, f"{package}/msg/{name}", typestore=self._types
            )
        try:
            self._writer.write(self._connections[topic], stamp, codec.encode(values))
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Complete the bag. Raises `InputError` when the disk does not take it."""
        try:
            self._writer.close()
            shutil.rmtree(self.path, ignore_errors=True)
            (self._temporary / self.path.name).replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self._writer.close()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(f"cannot write {self.path}: {error.strerror or error}")


def _register(types: Any, interfaces: Interfaces, struct: Struct) -> None:
    """Have rosbags know a type of the workspaces, and those that it is made of, by their own text."""
    for inner in _structs(struct):
        package, _, name = inner.name.partition("/")
        full_name = f"{package}/msg/{name}"
        if full_name not in types.fielddefs and (text := interfaces.text(inner.name)) is not None:
            types.register(get_types_from_msg(text, full_name))


def _structs(type_: FieldType) -> Iterator[Struct]:
    """The messages that a field is made of, inner ones first."""
    match type_:
        case Struct():
            for inner in type_.fields.values():
                yield from _structs(inner)
            yield type_
        case Array(element) | Sequence(element):
            yield from _structs(element)
