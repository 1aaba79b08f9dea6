"""A small process that outlives the trainer just long enough to end the players it leaves behind.

It is told the process groups of the players on its standard input (`+ID` and `-ID` lines) and kills those that are
left when the trainer is gone, however it went: nothing else runs when a process is killed with SIGKILL. It runs this
file alone, without the package, so that it starts in milliseconds.

It is no child of the trainer: Ray ends a worker together with the worker's children, but not with their children,
and forked players are such.
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
"""Seconds between two looks at the trainer where the system has no descriptors of processes."""
START_TIMEOUT = 60.0
"""Seconds in which the launcher has forked the reaper, on a machine however busy."""
END_TIMEOUT = 5.0


class Reaper:
    """The trainer's handle of the process: owns it, and tells it which process groups to watch over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._launcher = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._input, self._output = self._launcher.stdin, self._launcher.stdout

    def watch(self, group: int) -> None:
        """End this process group when the trainer is gone."""
        self._tell(f"+{group}\n")
        self._launcher.wait(START_TIMEOUT)  # until it has forked the reaper

    def release(self, group: int) -> None:
        """Forget a process group that has ended."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """End the process and all that it still watches; safe to call twice."""
        if self._output.closed:
            return
        with contextlib.suppress(OSError):
            self._input.close()
        self._launcher.wait(START_TIMEOUT)
        select.select([self._output], [], [], END_TIMEOUT)  # closed by its end
        self._output.close()

    def _tell(self, line: str) -> None:
        # Without a reaper the players are still ended by the trainer itself, whenever it can.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._input.write(line.encode())
            self._input.flush()


def reap(parent: int) -> None:
    """Read process groups until the parent is gone, then kill them."""
    descriptor = _descriptor(parent)
    if os.fork():
        os._exit(0)
    groups: set[int] = set()
    pending = b""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched = [0] if descriptor is None else [0, descriptor]
    while True:
        ready = select.select(watched, [], [], PARENT_CHECK_PERIOD if descriptor is None else None)[0]
        if 0 in ready:
            data = os.read(0, 4096)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                (groups.add if line[:1] == b"+" else groups.discard)(int(line[1:]))
        # Its input ends with the trainer, unless a fork of the trainer still holds the other end.
        elif descriptor in ready or not _exists(parent):
            break
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


def _descriptor(parent: int) -> int | None:
    """A descriptor that can be read once the parent of this process has ended; None where there is none."""
    try:
        descriptor = os.pidfd_open(parent)
    except (AttributeError, OSError):
        return None
    # Still its child: the number was not given to another process before.
    return descriptor if os.getppid() == parent else None


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


if __name__ == "__main__":
    reap(int(sys.argv[1]))
