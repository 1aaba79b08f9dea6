"""Where each value of a configuration came from, so that an error can name the file and the key as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DEFAULT = "default"
"""Source of what no file says."""

Key = tuple[Any, ...]
"""A dotted key as its parts: strings, save inside mappings whose keys the schema does not name."""


def dotted(key: Key) -> str:
    """The key as people write it."""
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

    Where a value came from is no part of what it is: configurations of equal values are equal, so all origins are.
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
