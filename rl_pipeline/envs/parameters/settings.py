"""Reading nested settings that the configuration's schema leaves open, with errors that name the key."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rl_pipeline.errors import InputError, UnknownNameError


def check_keys(given: Mapping[str, Any], valid: Sequence[str], where: str) -> None:
    """Raise UnknownNameError for a key that is not among the valid ones."""
    for key in given:
        if key not in valid:
            raise UnknownNameError("key", str(key), valid, where)


def setting(given: Mapping[str, Any], key: str, where: str) -> Any:
    """The value at a key that must be there. Raises InputError."""
    if key not in given:
        raise InputError(f"{where}: expected the key {key!r}, found {', '.join(map(repr, given)) or 'no key'}")
    return given[key]


def number(given: Any, where: str, expected: str = "a number") -> float:
    """A finite number. Raises InputError."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise InputError(f"{where}: expected {expected}, found {given!r}")
    return float(given)
