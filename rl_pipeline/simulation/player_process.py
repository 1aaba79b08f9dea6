"""The process of one player: start, supervision, end, and log."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from rl_pipeline.errors import InputError
from rl_pipeline.simulation.forked_process import SINGLE_THREADED, ForkedProcess, ForkServerError, shared_fork_server
from rl_pipeline.simulation.reaper import Reaper

logger = logging.getLogger(__name__)

STOP_TIMEOUT: Final = 2.0
"""Seconds that a player has to end by itself before it is killed."""
LOG_TAIL_LINES: Final = 15
"""Lines of a player's log in an error message."""


class PlayerProcess:
    """A player's process group and log files.

    Args:
        command: executable and arguments.
        log_file: path of the player's own log; its standard output and error go to `<log_file>.out`.
        reaper: ends the process group if this process cannot; None on Windows.
        environment: further environment variables.
        module: module that the command runs, if it may be forked instead (see forked_process.py); None: it may not.

    Raises:
        InputError: the file for its output cannot be opened.
        OSError: the command cannot be executed.
    """

    def __init__(
        self,
        command: Sequence[str],
        log_file: Path,
        reaper: Reaper | None,
        environment: Mapping[str, str] | None = None,
        module: str | None = None,
    ) -> None:
        self.log_file = log_file
        self._output_file = log_file.with_suffix(log_file.suffix + ".out")
        self._reaper = reaper
        self._released = False
        variables = {**os.environ, **SINGLE_THREADED, **(environment or {})}
        with _open_output(self._output_file) as output:
            # A fork takes milliseconds, a program half a second.
            self._process = _fork(module, command, output, log_file.parent, variables) or subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the trainer only, which then ends its players
                cwd=log_file.parent,  # simulators and their libraries write logs to the working directory
                env=variables,
            )
        if reaper is not None:
            reaper.watch(self._process.pid)

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its process group."""
        return self._process.pid

    def exit_status(self, timeout: float = 0.0) -> str | None:
        """Return a description of how the process ended; None if it still runs after `timeout` seconds."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        return f"exited with code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"

    @property
    def succeeded(self) -> bool:
        """True if the process has ended with exit code 0: its window was closed, or it was asked to end."""
        return self._process.poll() == 0

    def terminate(self) -> None:
        """Ask the process group to end, without waiting for it."""
        self._end(force=False)

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """End the process group: ask first, kill after `timeout` seconds. Safe to call twice."""
        if self._released:
            return
        # Ask the player to end.
        if timeout > 0 and self._process.poll() is None:
            self.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        # Kill the rest of the group, which may have processes that the player started.
        self._end(force=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT)
        if self._reaper is not None:
            self._reaper.release(self.pid)
        self._released = True

    def log_tail(self) -> str:
        """Return the last lines of the player's log and output, indented for a message."""
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


def _fork(
    module: str | None, command: Sequence[str], output: IO[bytes], folder: Path, environment: Mapping[str, str]
) -> ForkedProcess | None:
    """Fork a process for a command that runs a module; return None if it must be started as a program."""
    if module is None or (server := shared_fork_server()) is None:
        return None
    arguments = command[list(command).index(module) + 1 :]
    try:
        return server.start(module, arguments, output=output.fileno(), folder=folder, environment=environment)
    except ForkServerError as error:
        logger.debug("a player is started rather than forked: %s", error)
        return None


def _open_output(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
