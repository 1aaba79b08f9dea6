"""A small process that outlives the trainer and kills the players that it leaves behind, even after a SIGKILL.

The trainer writes the process groups of players to the reaper's standard input, as lines `+ID` and `-ID`. When the
trainer is gone, the reaper kills the groups that are left. The process runs this file alone, without the package, so
that it starts in milliseconds.

The reaper is not a child of the trainer but a grandchild: Ray kills a worker together with the worker's children, but
not with their children, and forked players are grandchildren too.
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
"""Seconds between two checks of the trainer on systems without process descriptors (pidfd)."""
START_TIMEOUT = 60.0
"""Seconds in which the launcher forks the reaper, on a very busy machine."""
END_TIMEOUT = 5.0
"""Seconds in which the reaper ends after its input is closed."""


class Reaper:
    """The trainer's handle of the reaper process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # -I -S: an isolated interpreter without site packages starts fastest.
        self._launcher = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._input = self._launcher.stdin
        self._output = self._launcher.stdout

    def watch(self, group: int) -> None:
        """Add a process group, which is killed when the trainer is gone."""
        self._write(f"+{group}\n")
        # The launcher ends when it has forked the reaper.
        self._launcher.wait(START_TIMEOUT)

    def release(self, group: int) -> None:
        """Remove a process group that has ended."""
        self._write(f"-{group}\n")

    def close(self) -> None:
        """End the reaper and the process groups that are left; safe to call twice."""
        if self._output.closed:
            return
        with contextlib.suppress(OSError):
            self._input.close()
        self._launcher.wait(START_TIMEOUT)
        # The end of the reaper closes its output.
        select.select([self._output], [], [], END_TIMEOUT)
        self._output.close()

    def _write(self, line: str) -> None:
        # Without a reaper the trainer still ends its players itself, unless it is killed.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._input.write(line.encode())
            self._input.flush()


def reap(parent: int) -> None:
    """Fork the reaper; it reads process groups until the trainer is gone, then kills those that are left."""
    # The launcher ends here, and the reaper becomes an orphan.
    descriptor = _open_process(parent)
    if os.fork():
        os._exit(0)
    groups: set[int] = set()
    pending = b""
    # Ctrl-C and a closed terminal must not end the reaper before the trainer.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched = [0] if descriptor is None else [0, descriptor]
    # The input ends with the trainer, unless a fork of the trainer holds its other end: then the trainer's end counts.
    while True:
        ready = select.select(watched, [], [], PARENT_CHECK_PERIOD if descriptor is None else None)[0]
        if 0 in ready:
            data = os.read(0, 4096)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                (groups.add if line[:1] == b"+" else groups.discard)(int(line[1:]))
        elif descriptor in ready or not _exists(parent):
            break
    # Kill the groups that are left.
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


def _open_process(parent: int) -> int | None:
    """Open a descriptor that becomes readable when the parent has ended; None if the system has no such descriptors."""
    try:
        descriptor = os.pidfd_open(parent)
    except (AttributeError, OSError):
        return None
    # If the parent had ended before, its number could belong to another process by now.
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
