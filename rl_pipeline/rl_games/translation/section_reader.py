"""Reader of a section of an rl_games file: each key must be read, be neutral, or have a reason for leaving it out."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import Any, Final

from rl_pipeline.config.expectations import found
from rl_pipeline.config.values import nulls_unquoted, unquoted
from rl_pipeline.errors import InputError, suggestion

_MISSING: Final = object()


class _Anything:
    """Container of every value."""

    def __contains__(self, value: object) -> bool:
        return True


ANY: Final = _Anything()
"""Neutral values of a key without effect here, such as one for the period of statistics."""


class SectionReader:
    """Section of a file, with `'None'` read as null and quoted numbers as numbers.

    Args:
        source: the file, as errors name it.
        path: dotted name of the section.
        values: the section.
        left_out: list to add the settings without a counterpart to, as full name and reason; shared with inner
            sections.

    Raises:
        InputError: the section is no mapping.
    """

    def __init__(self, source: str, path: str, values: Any, left_out: list[tuple[str, str]]) -> None:
        if not isinstance(values, Mapping):
            raise InputError(f"{source}: {path}: expected a section of keys, found {found(values)}")
        self.source = source
        self.path = path
        self.left_out = left_out
        self._values = {str(key): nulls_unquoted(value) for key, value in values.items()}
        self._taken: list[str] = []

    def where(self, name: str) -> str:
        """Return file and full name of a key, for the start of a message."""
        return f"{self.source}: {self.path}.{name}"

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def value(self, name: str, default: Any = _MISSING) -> Any:
        """Read any value; `default` for a missing one or null. Raises `InputError` without a default."""
        # A key counts as read even where its value is null.
        self._taken.append(name)
        value = self._values.get(name)
        if value is not None:
            return unquoted(value) if isinstance(value, str) else value
        if default is _MISSING:
            raise InputError(f"{self.where(name)}: expected a value, found none")
        return default

    def number(self, name: str, default: Any = _MISSING, *, least: float | None = None) -> Any:
        """Read a number. Raises `InputError` for another kind of value, or one below `least`."""
        value = self.value(name, default)
        if value is default:
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{self.where(name)}: expected a number, found {found(value)}")
        return self._bounded(name, value, least)

    def whole(self, name: str, default: Any = _MISSING, *, least: int | None = None) -> Any:
        """Read a whole number; 1e6 is one. Raises `InputError` for another kind of value, or one below `least`."""
        value = self.value(name, default)
        if value is default:
            return value
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise InputError(f"{self.where(name)}: expected a whole number, found {found(value)}")
        return self._bounded(name, int(value), least)

    def flag(self, name: str, default: bool) -> bool:
        """Read true or false. Raises `InputError` for another kind of value."""
        value = self.value(name, default)
        if not isinstance(value, bool):
            raise InputError(f"{self.where(name)}: expected true or false, found {found(value)}")
        return value

    def text(self, name: str, default: Any = _MISSING) -> Any:
        """Read a text. Raises `InputError` for another kind of value."""
        self.value(name, default)
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise InputError(f"{self.where(name)}: expected a name, found {found(value)}")
        return default if value is None else value

    def section(self, name: str) -> SectionReader:
        """Read an inner section; an empty one for a missing one."""
        return SectionReader(self.source, f"{self.path}.{name}", self.value(name, {}), self.left_out)

    def rest(self, but: Collection[str]) -> dict[str, Any]:
        """Read all keys that have not been read, except those of `but`."""
        names = [name for name in self._values if name not in self._taken and name not in but]
        return {name: self.value(name, None) for name in names}

    def leave(self, name: str, reason: str) -> None:
        """Note that a setting has no counterpart."""
        self.left_out.append((f"{self.path}.{name}", reason))

    def finish(
        self,
        neutral: Mapping[str, Container[Any]],
        refused: Mapping[str, str],
        ignored: Mapping[str, str] | None = None,
    ) -> None:
        """Account for the keys that have not been read.

        Args:
            neutral: keys without a counterpart, with the values that have no effect; another value is left out.
            refused: keys whose values other than the neutral ones are refused, with advice.
            ignored: keys whose values other than the neutral ones are left out for a reason of their own.

        Raises:
            InputError: a key is unknown, or its value is refused.
        """
        ignored = ignored or {}
        valid = {*self._taken, *neutral, *ignored}
        for name, value in self._values.items():
            if name in self._taken or (name in neutral and (value is None or value in neutral[name])):
                continue
            # A refusal is stronger than a note; both are more precise than the general one.
            if name in refused:
                raise InputError(f"{self.where(name)}: {found(value)} is not supported; {refused[name]}")
            if name in ignored:
                self.leave(name, ignored[name])
            elif name in neutral:
                self.leave(name, f"{found(value)} has no counterpart")
            # Users disable a key by a digit at its end.
            elif name.endswith("1") and name[:-1] in valid:
                self.leave(name, "rl_games does not read it either")
            else:
                raise InputError(f"{self.source}: unknown key '{self.path}.{name}'{suggestion(name, sorted(valid))}")

    def _bounded(self, name: str, value: float, least: float | None) -> float:
        if least is not None and value < least:
            raise InputError(f"{self.where(name)}: expected at least {least:g}, found {found(value)}")
        return value
