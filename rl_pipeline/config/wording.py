"""How error messages show a value that was found and the name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

_LONGEST = 60


def found(value: Any) -> str:
    """`value` as YAML would have it, cut short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def nearest(name: str, valid: Sequence[str]) -> str | None:
    """The valid name most like `name`, if any is like it at all."""
    return next(iter(difflib.get_close_matches(name, valid, n=1, cutoff=0.6)), None)
