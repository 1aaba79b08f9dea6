"""A registry: names that users write in YAML, and the classes or functions behind them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from rl_pipeline.errors import InputError, UnknownNameError

T = TypeVar("T")


def import_target(target: str, where: str) -> Any:
    """Import what `module:name` refers to; `name` may be dotted.

    Raises:
        InputError: there is no such module or name.
    """
    module, _, name = target.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split(".") if name else ():
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{where}: cannot import {target}: {error}") from error
    return found


def fold(name: str) -> str:
    """Return `name` in lower case without `_` and `-`: `Recurrent-PPO` is `recurrentppo`."""
    return name.lower().replace("_", "").replace("-", "")


class Registry(Mapping[str, T], Generic[T]):
    """Map names to objects that are given at registration or imported when they are first asked for.

    A registry keeps the order of registration. It is a read-only mapping of canonical names; `get` and `in` accept
    aliases too.

    Args:
        kind: what is registered, in the words of an error message, such as `algorithm`.
        where: configuration key that names an entry, such as `algorithm.name`; part of error messages.
        folded: whether names match in any case, with or without `_` and `-`.
    """

    def __init__(self, kind: str, where: str = "", *, folded: bool = False) -> None:
        self.kind = kind
        self.where = where
        self._fold: Callable[[str], str] = fold if folded else str
        self._entries: dict[str, T | str] = {}
        self._imported: dict[str, T] = {}
        self._names: dict[str, str] = {}

    def register(self, name: str, entry: T | str, *, aliases: tuple[str, ...] = ()) -> None:
        """Add an entry.

        Args:
            name: canonical name.
            entry: the object, or where it is, as `module:name`, to import it when it is first asked for.
            aliases: further names of the same entry.

        Raises:
            InputError: a name is taken by another entry; nothing is added then. The same entry may be added twice.
        """
        for spelling in (name, *aliases):
            taken = self._names.get(self._fold(spelling))
            if taken is not None and self._entries[taken] != entry:
                raise InputError(f"{self.kind} {spelling!r} is registered already, as {self._entries[taken]}")
        self._entries[name] = entry
        for spelling in (name, *aliases):
            self._names[self._fold(spelling)] = name

    def canonical(self, name: str) -> str | None:
        """Return the canonical name for a name or an alias; None for an unknown one."""
        return self._names.get(self._fold(name))

    def find(self, name: str, where: str | None = None) -> T:
        """Return the entry of a name or an alias, importing it if need be.

        Args:
            name: as the user wrote it.
            where: configuration key or file at fault; None: the registry's own.

        Raises:
            UnknownNameError: the name is unknown; the message has the nearest one.
            InputError: the entry's module cannot be imported.
        """
        canonical = self.canonical(name)
        if canonical is None:
            raise UnknownNameError(self.kind, name, self._entries, self.where if where is None else where)
        entry = self._entries[canonical]
        if not isinstance(entry, str):
            return entry
        if canonical not in self._imported:
            self._imported[canonical] = import_target(entry, f"{self.kind} {canonical!r}")
        return self._imported[canonical]

    def target(self, name: str) -> T | str:
        """Return the entry as registered, without importing it. Raises `KeyError` for an unknown name."""
        return self._entries[self._names[self._fold(name)]]

    def __getitem__(self, name: str) -> T:
        if self.canonical(name) is None:
            raise KeyError(name)
        return self.find(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.canonical(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
