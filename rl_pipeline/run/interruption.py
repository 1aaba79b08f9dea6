"""Ctrl-C, SIGTERM and SIGHUP, turned into a request that a run answers between two steps."""

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
    """The user wants the run to end; what it has is to be saved."""


class Interruption:
    """While the block runs, the first signal is noted, and a second one raises `KeyboardInterrupt` at once.

    The block ends with that, whatever a library that the second signal meets makes of it: of PyTorch writing a file it
    would be a `RuntimeError`. Outside the main thread signals cannot be caught, and none is. A SIGHUP that is ignored,
    as under nohup, stays so.

    Attributes:
        requested: whether a signal has come.
        insisted: whether a second one has: nothing more is to be saved.
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
        """Raise `RunInterrupted` when a signal has come."""
        if self.requested:
            raise RunInterrupted

    def _note(self, number: int, frame: FrameType | None) -> None:
        leave_closed_terminal()
        if self.requested:
            self.insisted = True
            raise KeyboardInterrupt
        self.requested = True


def leave_closed_terminal() -> None:
    """Send what is still printed to nowhere when the terminal is gone: it must not end what is being saved."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is None or stream.closed:
            continue
        descriptor = stream.fileno()
        # A terminal that was closed is still a device, but does not answer as a terminal any more.
        if stat.S_ISCHR(os.fstat(descriptor).st_mode) and not os.isatty(descriptor):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
