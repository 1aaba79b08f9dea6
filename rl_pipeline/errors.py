"""Errors for bad input: one message that the command line prints without a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

MAX_LISTED, FEW = 40, 10
"""Most valid names that a message lists, and the number of names listed when there are more."""


class InputError(Exception):
    """Bad input: the command line prints the message alone and exits with code 2.

    The message names the file, key or environment at fault, what was expected and what was found.
    """


class UnknownNameError(InputError):
    """Unknown name; the message offers the nearest valid names and ends with `hint`."""

    def __init__(self, kind: str, name: str, valid: Iterable[str], where: str = "", hint: str = "") -> None:
        self.name, self.valid = name, sorted(valid)
        super().__init__(f"{where + ': ' if where else ''}unknown {kind} {name!r}{suggestion(name, self.valid)}{hint}")


@contextmanager
def collected(problems: list[InputError]) -> Iterator[None]:
    """Append an `InputError` of the block to `problems` instead of raising it."""
    try:
        yield
    except InputError as error:
        problems.append(error)


def raise_together(problems: Sequence[InputError]) -> None:
    """Raise a single problem unchanged and several as one `InputError` with a line each; return if there are none."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise InputError("\n".join(dict.fromkeys(map(str, problems))))


def suggestion(name: str, valid: Iterable[str]) -> str:
    """Return the end of an error message: the nearest valid names, or else all or the first of the valid names."""
    # Prefer near misses; compare in lower case, since case is a frequent mistake.
    valid = list(valid)
    lowered = {candidate.lower(): candidate for candidate in valid}
    near = [lowered[match] for match in difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)]
    if near:
        return f"; did you mean {' or '.join(repr(match) for match in near)}?"
    if len(valid) > MAX_LISTED:
        return f"; valid: {', '.join(valid[:FEW])} and {len(valid) - FEW} more"
    return f"; valid: {', '.join(valid)}" if valid else ""
