"""Nouns after numbers, for messages."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """Return the noun in the form that follows a count: `1 player`, `2 players`, `0 players`."""
    return noun if count == 1 else f"{noun}s"
