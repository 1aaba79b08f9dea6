"""A small process that outlives the trainer just long enough to end the players it leaves behind.

It is told the process groups of the players on its standard input (`+ID` and `-ID` lines) and kills those that are
left when the trainer is gone, however it went: nothing else runs when a process is killed with SIGKILL. It runs this
file alone, without the package, so that it starts in milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading

PARENT_CHECK_PERIOD = 0.25


class Reaper:
    """The trainer's handle of the process: owns it, and tells it which process groups to watch over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """End this process group when the trainer is gone."""
        self._tell(f"+{group}\n")

    def release(self, group: int) -> None:
        """Forget a process group that has ended."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """End the process, and with it whatever it still watches over."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5.0)

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        # Without a reaper the players are still ended by the trainer itself, whenever it can.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


def reap(parent: int) -> None:
    """Read process groups until the parent is gone, then kill them."""
    groups: set[int] = set()
    pending = b""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    # Its input ends with the trainer, unless a fork of the trainer still holds the other end: hence the second look.
    while os.getppid() == parent:
        if not select.select([0], [], [], PARENT_CHECK_PERIOD)[0]:
            continue
        data = os.read(0, 4096)
        if not data:
            break
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            (groups.add if line[:1] == b"+" else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    reap(int(sys.argv[1]))
