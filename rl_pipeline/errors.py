"""What the user did that cannot work, said once and clearly."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

MAX_LISTED, FEW = 40, 10
"""Valid names that a message lists at most, and how many of them it lists where there are more."""


class InputError(Exception):
    """Bad input: the command line prints the message alone and exits with code 2.

    The message names the file, key or environment at fault, what was expected and what was found.
    """


class UnknownNameError(InputError):
    """A name that is not among the valid ones; the message offers the nearest, and ends with `hint`."""

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
    """Raise a single problem as it is, several as one `InputError` with a line for each; nothing for none."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise InputError("\n".join(dict.fromkeys(map(str, problems))))


def suggestion(name: str, valid: Iterable[str]) -> str:
    """The end of an error message: the nearest valid names, else all of them, or some where there are very many."""
    valid = list(valid)
    lowered = {candidate.lower(): candidate for candidate in valid}
    near = [lowered[match] for match in difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)]
    if near:
        return f"; did you mean {' or '.join(repr(match) for match in near)}?"
    if len(valid) > MAX_LISTED:
        return f"; valid: {', '.join(valid[:FEW])} and {len(valid) - FEW} more"
    return f"; valid: {', '.join(valid)}" if valid else ""
