"""Ctrl-C, SIGTERM and SIGHUP as a request to end, answered between two steps."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class RunInterrupted(Exception):  # noqa: N818
    """A request to end the run with everything saved."""


class Interruption:
    """Notes the first signal while the block runs, and raises `KeyboardInterrupt` at the second.

    The block ends with `KeyboardInterrupt` even if a library turns it into another error, as PyTorch does while it
    writes a file (`RuntimeError`). Outside the main thread no signals are caught, as Python cannot. A SIGHUP that is
    ignored, as under nohup, stays ignored.

    Attributes:
        requested: a signal has come.
        insisted: a second signal has come: nothing more is saved.
    """

    def __init__(self) -> None:
        self.requested = False
        self.insisted = False
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            kept = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else set()
            self._former = {number: signal.signal(number, self._note) for number in SIGNALS if number not in kept}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        if self.insisted and kind is not KeyboardInterrupt:
            raise KeyboardInterrupt from error

    def check(self) -> None:
        """Raise `RunInterrupted` if a signal has come."""
        if self.requested:
            raise RunInterrupted

    def _note(self, number: int, frame: FrameType | None) -> None:
        # The signal may be the hang-up of a closed terminal.
        leave_closed_terminal()
        if self.requested:
            self.insisted = True
            raise KeyboardInterrupt
        self.requested = True


def leave_closed_terminal() -> None:
    """Redirect output to the null device if the terminal is gone, so that writing to it does not end the saving."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is None or stream.closed:
            continue
        descriptor = stream.fileno()
        # A terminal that was closed is still a device, but does not answer as a terminal any more.
        if stat.S_ISCHR(os.fstat(descriptor).st_mode) and not os.isatty(descriptor):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, descriptor)
            os.close(null)
