"""Origins of the values of a configuration, so that errors name the file and the key as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DEFAULT = "default"
"""Source of values that no file sets."""

Key = tuple[Any, ...]
"""A dotted key as its parts: strings, save inside mappings whose keys the schema does not name."""


def dotted(key: Key) -> str:
    """Return the key as users write it."""
    return ".".join(str(part) for part in key)


@dataclass(frozen=True)
class Origin:
    """A file (or `command line`, or `default`) and the key as it was spelled there."""

    source: str
    key: str

    def __str__(self) -> str:
        return f"{self.source}: {self.key}"


class Origins(dict[Key, Origin]):
    """Canonical key -> origin.

    All origins compare equal, so that configurations of equal values are equal, wherever the values came from.
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origins)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def of(self, key: Key) -> Origin:
        """The origin of `key`, else of the nearest key around or within it, else the schema's default."""
        for length in range(len(key), 0, -1):
            if (origin := self.get(key[:length])) is not None:
                return origin
        for other, origin in self.items():
            if other[: len(key)] == key and origin.source != DEFAULT:
                return Origin(origin.source, origin.key.rsplit(".", len(other) - len(key))[0])
        return Origin(DEFAULT, dotted(key))
