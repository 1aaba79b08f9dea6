"""Exit codes of the command, and the one line on standard error for a failure."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final

import typer

from rl_pipeline.errors import InputError
from rl_pipeline.tracebacks import describe_failure

FAILED: Final = 1
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells report a process that Ctrl-C ended."""


def guarded(act: Callable[[], object], debug: bool) -> int:
    """Run `act` and return its exit code.

    A failure is one line on standard error; with `debug`, the traceback comes before it.
    """
    try:
        code = act()
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED, debug)
    except InputError as error:
        return _fail(f"error: {error}", BAD_INPUT, debug)
    except Exception as error:
        # Typer's errors have no public base class; its versions take them from click or from a copy of it.
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            return _refuse_command_line(error, int(error.exit_code))
        hint = "" if debug else " (run with --debug to see where)"
        return _fail(f"error: {describe_failure(error)}{hint}", FAILED, debug)


def _refuse_command_line(error: Any, code: int) -> int:
    """Write Typer's objection to the command line; without any argument, the help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return code
    context = getattr(error, "ctx", None)
    message = str(error.format_message()).rstrip(".")
    if context is not None:
        # A message with suggestions ends with a question mark.
        hint = f"see {context.command_path} --help"
        message += f" S{hint[1:]}" if message.endswith("?") else f"; {hint}"
    return _fail(f"error: {message}", code, debug=False)


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(message + "\n")
    return code


def note_thread_failure(failure: threading.ExceptHookArgs) -> None:
    """Log the traceback of a failed thread for `--debug`; the error itself is raised where its result is awaited."""
    trace = (failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)
    logging.getLogger("rl_pipeline").debug("a thread failed", exc_info=trace)
