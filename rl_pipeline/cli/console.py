"""Consoles of the verbs, and the package's log on standard error."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

UNBOUNDED_WIDTH: Final = 10_000
"""Columns of a line in a pipe or file."""


def make_console(*, stderr: bool = False) -> Console:
    """Return a console of a verb: tables go to standard output, progress to standard error.

    In a pipe or a file nothing is cut or wrapped, unless the variable COLUMNS gives the width of a line.
    """
    from rich.console import Console

    console = Console(stderr=stderr)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(stderr=stderr, width=UNBOUNDED_WIDTH)


def log_to_terminal(debug: bool) -> None:
    """Write the package's log to standard error: plain lines, warnings and errors with their level.

    A handler that the process has set already, as a ROS node does, stays the only one.
    """
    handler = _TerminalHandler()
    handler.setFormatter(_TerminalFormatter())
    # A second command in one process, as in tests, replaces the handler of the first.
    package = logging.getLogger("rl_pipeline")
    if all(isinstance(other, _TerminalHandler) for other in package.handlers):
        package.handlers = [handler]
    package.setLevel(logging.DEBUG if debug else logging.INFO)


class _TerminalHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # sys.stderr is read at each record: while a progress bar is shown, its console replaces it.
        sys.stderr.write(self.format(record) + "\n")


class _TerminalFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno <= logging.INFO else f"{record.levelname.lower()}: {text}"
