"""The `rl-pipeline` command: one file a verb, named for the verb, and the files that they share.

A verb imports heavy packages inside its functions: `--help` and completion must not wait for PyTorch. To add a verb,
write its file and name it in app.py; a verb from outside the package is registered, see registration.py.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

from rl_pipeline.cli.app import app
from rl_pipeline.cli.exit import guarded, note_thread_failure
from rl_pipeline.run.interruption import leave_closed_terminal

__all__ = ["guarded", "main", "run"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command and end the process: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code; a failure is one line on standard error."""
    # --debug may stand anywhere, as the options of a verb may.
    debug = "--debug" in arguments
    arguments = ["--debug", *(argument for argument in arguments if argument != "--debug")] if debug else arguments
    arguments = [_expand_home(argument) for argument in arguments]

    # SIGTERM and SIGHUP end a command as Ctrl-C does; nohup has SIGHUP ignored, and it stays ignored.
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)
    threading.excepthook = note_thread_failure
    return guarded(lambda: app(arguments, prog_name="rl-pipeline", standalone_mode=False), debug)


def _expand_home(argument: str) -> str:
    """Expand `~` in places that shells leave alone: in `--output=~/agent.onnx`, or in quotes."""
    option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    return f"{option}{equals}{os.path.expanduser(value)}" if value == "~" or value.startswith("~/") else argument


def _interrupt(number: int, frame: FrameType | None) -> None:
    leave_closed_terminal()
    raise KeyboardInterrupt
