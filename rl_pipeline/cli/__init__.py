"""The `rl-pipeline` command: a list of verbs, each of which hands over to a module of `rl_pipeline.run`.

What a verb needs is imported inside it: `rl-pipeline --help` must not wait for PyTorch.
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

# In the order in which --help lists their verbs.
from rl_pipeline.cli import train, sweep, simulate, runner  # isort: skip  # noqa: F401
from rl_pipeline.cli import judging, records, deploy, benchmark, serving, inspection  # isort: skip  # noqa: F401

__all__ = ["guarded", "main", "run"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command and end the process: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code; whatever goes wrong is said in one line on standard error."""
    debug = "--debug" in arguments
    # The flag may stand anywhere, as with every other option.
    arguments = ["--debug", *(argument for argument in arguments if argument != "--debug")] if debug else arguments
    arguments = [_with_home(argument) for argument in arguments]
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _interrupt)
    threading.excepthook = note_thread_failure
    return guarded(lambda: app(arguments, prog_name="rl-pipeline", standalone_mode=False), debug)


def _with_home(argument: str) -> str:
    """An argument with `~` expanded where shells leave it alone: in `--output=~/agent.onnx`, or in quotes."""
    option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    return f"{option}{equals}{os.path.expanduser(value)}" if value == "~" or value.startswith("~/") else argument


def _interrupt(number: int, frame: FrameType | None) -> None:
    leave_closed_terminal()
    raise KeyboardInterrupt
