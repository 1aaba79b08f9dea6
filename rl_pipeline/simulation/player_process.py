"""One player as a process: started, watched and ended, with its log."""

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
from rl_pipeline.simulation import fork_server
from rl_pipeline.simulation.reaper import Reaper

logger = logging.getLogger(__name__)

STOP_TIMEOUT: Final = 2.0
LOG_TAIL_LINES: Final = 15


class PlayerProcess:
    """A player's process group, and where its output goes.

    Args:
        command: executable and arguments.
        log_file: what the player itself logs to; its standard output and error go to `<log_file>.out`.
        reaper: told of the process group, so that it is ended even when this process cannot; None on Windows.
        environment: further environment variables.
        module: the module that the command runs, if that may be forked instead (see fork_server.py).

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
        variables = {**os.environ, **fork_server.SINGLE_THREADED, **(environment or {})}
        with _opened(self._output_file) as output:
            self._process = _forked(module, command, output, log_file.parent, variables) or subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is not for players: the trainer ends them
                cwd=log_file.parent,  # simulators and their libraries leave logs of their own where they stand
                env=variables,
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


def _forked(
    module: str | None, command: Sequence[str], output: IO[bytes], folder: Path, environment: Mapping[str, str]
) -> fork_server.ForkedProcess | None:
    """A process forked for a command that runs this module; None: it has to be started."""
    if module is None or (server := fork_server.of_process()) is None:
        return None
    arguments = command[list(command).index(module) + 1 :]
    try:
        return server.start(module, arguments, output=output.fileno(), folder=folder, environment=environment)
    except fork_server.ForkServerError as error:
        logger.debug("a player is started rather than forked: %s", error)
        return None


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
