"""A process that has imported what embedded players need, and forks one in milliseconds.

A player of this package takes half a second of processor time to import NumPy and MuJoCo, and a training has eight of
them, its evaluations more. Here that is done once, beside what the trainer does meanwhile. A player that is forked is a
process like any other, with a session, log and exit code of its own. Its parent is this process, which ends when the
trainer is gone.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import itertools
import json
import os
import runpy
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

from rl_pipeline.players.rendering.mujoco_gl import import_mujoco

PRELOADED: Final = (
    "rl_pipeline.players.player",
    "rl_pipeline.players.navigation.worlds",
    "rl_pipeline.players.rendering.overlay",
    "rl_pipeline.players.rendering.painter",
    "PIL.JpegImagePlugin",
    "rosbags.typesys.stores.ros2_jazzy",
)
"""What takes time to import, and does nothing else when it is."""
SINGLE_THREADED: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A player steps one small scene: threads of its libraries would only take the cores of the other players."""
START_TIMEOUT: Final = 30.0
"""Seconds until the first player is forked, on a machine that is busy."""
REPORT_TIMEOUT: Final = 2.0
"""Seconds from the end of a player until its exit code is told."""
LONGEST: Final = 1 << 17
"""Bytes of a request: an environment is some kilobytes."""
PARENT_CHECK_PERIOD: Final = 0.5
UNKNOWN_CODE: Final = 255


class ForkServerError(OSError):
    """No player can be forked; one can still be started as a program of its own."""


class ForkServer:
    """Owns the process; see `of_process`."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # -P: nothing is imported from where the trainer stands.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__],
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
            module: its name.
            arguments: its command line.
            output: descriptor that its standard output and error go to.
            folder: where it stands.
            environment: all of its variables.

        Raises:
            ForkServerError: it cannot be forked.
        """
        wanted = {"argv": [module, *arguments], "folder": str(folder), "environment": dict(environment)}
        request = json.dumps(wanted).encode()
        if len(request) > LONGEST:
            raise ForkServerError("the environment is too large")
        running, held = os.pipe()  # what the process holds of it is closed when it ends
        try:
            with self._lock:
                self._channel.settimeout(START_TIMEOUT)
                socket.send_fds(self._channel, [request], [output, held])
                return ForkedProcess(self, self._await("started", START_TIMEOUT), running)
        except BaseException as error:
            os.close(running)
            if isinstance(error, ForkServerError):
                raise
            if not isinstance(error, OSError):  # an interruption: what is being forked would be nobody's
                with contextlib.suppress(OSError):
                    os.kill(self._await("started", REPORT_TIMEOUT), signal.SIGKILL)
            self._channel.close()  # what would come later must not pass for the answer to another request
            if isinstance(error, OSError):
                raise ForkServerError(str(error)) from error
            raise
        finally:
            os.close(held)

    def exit_code(self, pid: int) -> int:
        """The exit code of a process that has ended, negative for a signal; 255: nobody knows."""
        with self._lock, contextlib.suppress(OSError):
            while pid not in self._codes:
                self._await("ended", REPORT_TIMEOUT)
        return self._codes.pop(pid, UNKNOWN_CODE)

    def close(self) -> None:
        """End the process, but none that it has forked; safe to call twice."""
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5.0)

    @property
    def is_usable(self) -> bool:
        """Whether it is this process's own, and runs."""
        return self._owner == os.getpid() and self._channel.fileno() >= 0 and self._process.poll() is None

    def _await(self, kind: str, timeout: float) -> int:
        """Read messages until one of this kind comes; returns the process that it is about."""
        deadline = time.monotonic() + timeout
        while True:
            self._channel.settimeout(max(0.001, deadline - time.monotonic()))
            data = self._channel.recv(4096)
            if not data:
                self._channel.close()  # until the process can be waited for it passes for one that runs
                raise ForkServerError("the process that forks players has ended")
            message: dict[str, Any] = json.loads(data)
            if "ended" in message:
                self._codes[message["ended"]] = message["code"]
            if "failed" in message:
                raise ForkServerError(message["failed"])
            if kind in message:
                return int(message[kind])


class ForkedProcess:
    """One forked process, with what `subprocess.Popen` has for one.

    Attributes:
        pid: process id, and that of its group.
    """

    def __init__(self, server: ForkServer, pid: int, running: int) -> None:
        self.pid = pid
        self._server, self._running = server, running
        self._code: int | None = None

    def __del__(self) -> None:
        self._release()

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0.0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code. Raises `subprocess.TimeoutExpired` when it still runs after `timeout` seconds."""
        if self._code is None:
            poller = select.poll()
            poller.register(self._running, 0)  # that the other end is closed is always told
            if not poller.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            self._code = self._server.exit_code(self.pid)
            self._release()
        return self._code

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def _release(self) -> None:
        if self._running >= 0:
            os.close(self._running)
            self._running = -1


_server: ForkServer | None = None
_server_lock: Final = threading.Lock()


def of_process() -> ForkServer | None:
    """The fork server of this process, begun when it is first asked for; None where there can be none.

    It takes half a second until it can fork, in which others need not wait. It ends with this process.
    """
    global _server
    if sys.platform != "linux":
        return None
    with _server_lock:
        if _server is None or not _server.is_usable:
            import_mujoco()  # here, for one warning rather than one of each player
            _server = ForkServer()
            atexit.register(_server.close)
        return _server


def preload() -> None:
    """Import what players need."""
    for name in PRELOADED:
        with contextlib.suppress(ImportError):  # what is missing, the player that needs it will say
            importlib.import_module(name)


def main() -> None:
    """Fork processes for the other end of standard input until that is gone, and be each of them."""
    preload()
    request = _serve(socket.socket(fileno=os.dup(0)))
    if request is not None:
        module, *arguments = request
        _take_name(arguments)
        sys.argv[1:] = arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def _take_name(arguments: Sequence[str]) -> None:
    """Have `top` and `ps -e` name a player by its environment, since its command line is that of what forked it."""
    for option, value in itertools.pairwise(arguments):
        if option == "--environment-id":
            with contextlib.suppress(OSError):
                Path("/proc/self/comm").write_text(f"player_{value}", encoding="utf-8")


def _serve(channel: socket.socket) -> list[str] | None:
    """Serve requests until there are no more; returns, in each process that was forked, module and arguments."""
    parent = os.getppid()
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    # A fork of the trainer may still hold the other end: hence the look at the parent.
    while os.getppid() == parent:
        ready = select.select([channel.fileno(), woken], [], [], PARENT_CHECK_PERIOD)[0]
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
            _report_ended(channel)
        if channel.fileno() in ready:
            data, descriptors, *_ = socket.recv_fds(channel, LONGEST, 2)
            if not data:
                break
            try:
                forked = os.fork()
            except OSError as error:
                _tell(channel, failed=str(error))
                forked = -1
            if forked == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (woken, wakes):
                    os.close(descriptor)
                return _become(json.loads(data), channel, *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
    return None


def _become(wanted: dict[str, Any], channel: socket.socket, output: int, held: int) -> list[str]:
    """Turn this process into what was asked for; `held` stays open until it ends."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        os.close(nothing)
        os.close(output)
        os.environ.clear()
        os.environ.update(wanted["environment"])
        os.chdir(wanted["folder"])
        channel.send(json.dumps({"started": os.getpid()}).encode())
    except OSError as error:
        _tell(channel, failed=str(error))
        os._exit(1)  # nobody would know of it
    channel.close()
    argv: list[str] = wanted["argv"]
    return argv


def _report_ended(channel: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _tell(channel, ended=ended[0], code=os.waitstatus_to_exitcode(ended[1]))


def _tell(channel: socket.socket, **message: Any) -> None:
    with contextlib.suppress(OSError):  # who does not listen any more need not know
        channel.send(json.dumps(message).encode())


if __name__ == "__main__":
    main()
