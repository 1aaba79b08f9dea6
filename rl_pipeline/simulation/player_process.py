"""One player as a process: started, watched and ended, with its log."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rl_pipeline.simulation.reaper import Reaper

STOP_TIMEOUT: Final = 2.0
LOG_TAIL_LINES: Final = 15

# A player steps one small scene: threads of its libraries would only take the cores of the other players.
_SINGLE_THREADED: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class PlayerProcess:
    """A player's process group, and where its output goes.

    Args:
        command: executable and arguments.
        log_file: what the player itself logs to; its standard output and error go to `<log_file>.out`.
        reaper: told of the process group, so that it is ended even when this process cannot; None on Windows.
        environment: further environment variables.
    """

    def __init__(
        self,
        command: Sequence[str],
        log_file: Path,
        reaper: Reaper | None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log_file = log_file
        self._output_file = log_file.with_suffix(log_file.suffix + ".out")
        self._reaper = reaper
        self._released = False
        with self._output_file.open("ab") as output:
            # A session of its own keeps Ctrl-C in the terminal from players: the trainer ends them when it has saved.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=log_file.parent,  # simulators and their libraries leave logs of their own where they stand
                env={**os.environ, **_SINGLE_THREADED, **(environment or {})},
            )
        if reaper is not None:
            reaper.watch(self._process.pid)

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its process group."""
        return self._process.pid

    def exit_status(self, timeout: float = 0.0) -> str | None:
        """How the process ended, in words; None while it runs, for `timeout` seconds at least."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        return f"exited with code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"

    @property
    def succeeded(self) -> bool:
        """Whether the process has ended as it should: closed by the person who watched, or asked to end."""
        return self._process.poll() == 0

    def terminate(self) -> None:
        """Ask the process to end, without waiting for it."""
        self._end(force=False)

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """End the whole process group: by asking first, by force after `timeout` seconds. Safe to call twice."""
        if self._released:
            return
        if timeout > 0 and self._process.poll() is None:
            self.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        self._end(force=True)  # what is left of the group, too
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT)
        if self._reaper is not None:
            self._reaper.release(self.pid)
        self._released = True

    def log_tail(self) -> str:
        """The last lines of what the player logged and printed."""
        lines: list[str] = []
        for path in (self.log_file, self._output_file):
            with contextlib.suppress(OSError):
                lines += path.read_text(errors="replace").splitlines()
        return "\n".join(f"  | {line}" for line in lines[-LOG_TAIL_LINES:]) or "  (its log is empty)"

    def _end(self, *, force: bool) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self.pid, signal.SIGKILL if force else signal.SIGTERM)
