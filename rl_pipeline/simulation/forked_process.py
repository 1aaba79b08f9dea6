"""Processes forked by the fork server: the trainer's handles of the server and of each process.

An embedded player takes half a second of processor time to import NumPy and MuJoCo, and a training has eight of them.
The server (fork_server.py) imports both once, and forks a player in milliseconds. A forked player is a process like any
other, with its own session, log and exit code; its parent is the server, which ends when the trainer is gone.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rl_pipeline.players.rendering.gl_backend import import_mujoco
from rl_pipeline.simulation import fork_server

SINGLE_THREADED: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment variables of a player: it steps one small scene, and threads would take the cores of other players."""
START_TIMEOUT: Final = 30.0
"""Seconds until the first player is forked, on a busy machine."""
REPORT_TIMEOUT: Final = 2.0
"""Seconds from the end of a player until the server reports its exit code."""
MAX_REPORT: Final = 4096
"""Bytes of a message from the server."""
UNKNOWN_CODE: Final = 255


class ForkServerError(OSError):
    """The server cannot fork a player; the player can still be started as a program."""


class ForkServer:
    """Owner of the server process. Use `shared_fork_server`, which has one for each process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # -P keeps the trainer's working directory off the path, so that no file there replaces a library.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", fork_server.__name__],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, **SINGLE_THREADED},
            )
        self._channel = ours
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._codes: dict[int, int] = {}

    def start(
        self, module: str, arguments: Sequence[str], *, output: int, folder: Path, environment: Mapping[str, str]
    ) -> ForkedProcess:
        """Fork a process that runs a module as a program.

        Args:
            module: name of the module.
            arguments: its command line.
            output: file descriptor for standard output and error.
            folder: working directory.
            environment: all environment variables.

        Raises:
            ForkServerError: the process cannot be forked.
        """
        wanted = {"argv": [module, *arguments], "folder": str(folder), "environment": dict(environment)}
        request = json.dumps(wanted).encode()
        if len(request) > fork_server.MAX_REQUEST:
            raise ForkServerError("the environment is too large")
        # The process holds one end of a pipe, which the system closes when the process ends.
        running, held = os.pipe()
        try:
            with self._lock:
                self._channel.settimeout(START_TIMEOUT)
                socket.send_fds(self._channel, [request], [output, held])
                return ForkedProcess(self, self._receive("started", START_TIMEOUT), running)
        except BaseException as error:
            os.close(running)
            self._abort_start(error)
            raise
        finally:
            os.close(held)

    def _abort_start(self, error: BaseException) -> None:
        """Leave the server usable, or close it, after an exception in the middle of a request."""
        if isinstance(error, ForkServerError):
            return  # the server has answered
        if not isinstance(error, OSError):
            # After an interruption nothing would own the process that is being forked.
            with contextlib.suppress(OSError):
                os.kill(self._receive("started", REPORT_TIMEOUT), signal.SIGKILL)
        # A late answer would be taken for the answer to the next request.
        self._channel.close()
        if isinstance(error, OSError):
            raise ForkServerError(str(error)) from error

    def exit_code(self, pid: int) -> int:
        """Return the exit code of a process that has ended: negative for a signal, 255 if it is unknown."""
        with self._lock, contextlib.suppress(OSError):
            while pid not in self._codes:
                self._receive("ended", REPORT_TIMEOUT)
        return self._codes.pop(pid, UNKNOWN_CODE)

    def close(self) -> None:
        """End the server, but not the processes that it has forked. Safe to call twice."""
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5.0)

    @property
    def is_usable(self) -> bool:
        """True if the server runs and belongs to this process, not to one that this process was forked from."""
        return self._owner == os.getpid() and self._channel.fileno() >= 0 and self._process.poll() is None

    def _receive(self, kind: str, timeout: float) -> int:
        """Read messages until one of this kind arrives; return the process id in it."""
        deadline = time.monotonic() + timeout
        while True:
            self._channel.settimeout(max(0.001, deadline - time.monotonic()))
            data = self._channel.recv(MAX_REPORT)
            if not data:
                # Until it can be waited for, the ended server would pass for one that runs.
                self._channel.close()
                raise ForkServerError("the process that forks players has ended")
            # Exit codes may arrive while another message is awaited.
            message: dict[str, Any] = json.loads(data)
            if "ended" in message:
                self._codes[message["ended"]] = message["code"]
            if "failed" in message:
                raise ForkServerError(message["failed"])
            if kind in message:
                return int(message[kind])


class ForkedProcess:
    """A forked process, with the interface of `subprocess.Popen`.

    Attributes:
        pid: process id, which is also the id of its process group.
    """

    def __init__(self, server: ForkServer, pid: int, running: int) -> None:
        self.pid = pid
        self._server = server
        self._running = running
        self._code: int | None = None

    def __del__(self) -> None:
        self._release()

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while the process runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0.0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code and return it.

        Raises:
            subprocess.TimeoutExpired: the process still runs after `timeout` seconds.
        """
        if self._code is None:
            # poll() reports a closed end of the pipe without being asked for any event.
            poller = select.poll()
            poller.register(self._running, 0)
            if not poller.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            self._code = self._server.exit_code(self.pid)
            self._release()
        return self._code

    def kill(self) -> None:
        """Kill the process."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def _release(self) -> None:
        if self._running >= 0:
            os.close(self._running)
            self._running = -1


_server: ForkServer | None = None
_server_lock: Final = threading.Lock()


def shared_fork_server() -> ForkServer | None:
    """Return the fork server of this process, started by the first call; None on systems other than Linux.

    The call does not wait for the server, which can fork after half a second. The server ends with this process.
    """
    global _server
    if sys.platform != "linux":
        return None
    with _server_lock:
        if _server is None or not _server.is_usable:
            # Here rather than in each player: a GL that does not work costs one warning.
            import_mujoco()
            _server = ForkServer()
            atexit.register(_server.close)
        return _server
