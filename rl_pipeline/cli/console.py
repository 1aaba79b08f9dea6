"""What the user sees: the consoles that verbs print to, and the package's log on standard error."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

UNBOUNDED: Final = 10_000
"""Columns of a line that no terminal bounds."""


def console(*, stderr: bool = False) -> Console:
    """Consoles of a verb: tables on standard output, progress on standard error.

    In a pipe or a file nothing is cut or wrapped, unless COLUMNS says how wide a line may be.
    """
    from rich.console import Console

    made = Console(stderr=stderr)
    return made if made.is_terminal or "COLUMNS" in os.environ else Console(stderr=stderr, width=UNBOUNDED)


def log_to_terminal(debug: bool) -> None:
    """What the package logs goes to standard error: bare lines, and warnings marked as such.

    A process that logs elsewhere already, as a ROS node does, keeps to that.
    """
    handler = _TerminalHandler()
    handler.setFormatter(_TerminalFormatter())
    package = logging.getLogger("rl_pipeline")
    if all(isinstance(other, _TerminalHandler) for other in package.handlers):
        package.handlers = [handler]
    package.setLevel(logging.DEBUG if debug else logging.INFO)


class _TerminalHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # Looked up each time: while a progress bar is shown, its console stands in for standard error.
        sys.stderr.write(self.format(record) + "\n")


class _TerminalFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno <= logging.INFO else f"{record.levelname.lower()}: {text}"
