"""The fork server: a program that imports the libraries of embedded players once, then forks a process per request.

Requests and reports are JSON messages on a socket, which is standard input:

- request: `{"argv": [module, ...], "folder": ..., "environment": {...}}`, with two file descriptors: one for the output
  of the process, one for the process to hold until it ends;
- reports: `{"started": pid}`, `{"failed": reason}`, `{"ended": pid, "code": exit code}`.

forked_process.py is the trainer's side.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import os
import runpy
import select
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

PRELOADED: Final = (
    "rl_pipeline.players.player",
    "rl_pipeline.players.navigation.worlds",
    "rl_pipeline.players.rendering.overlay",
    "rl_pipeline.players.rendering.painter",
    "PIL.JpegImagePlugin",
    "rosbags.typesys.stores.ros2_jazzy",
)
"""Modules that take long to import and have no side effects."""
MAX_REQUEST: Final = 1 << 17
"""Bytes of a request; an environment takes some kilobytes."""
PARENT_CHECK_PERIOD: Final = 0.5
"""Seconds between two checks that the trainer still runs."""


def main() -> None:
    """Serve requests until the other end of standard input is closed; in each forked process, run its module."""
    preload()
    request = serve(socket.socket(fileno=os.dup(0)))
    if request is not None:
        module, *arguments = request
        _set_process_name(arguments)
        sys.argv[1:] = arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def preload() -> None:
    """Import the modules that players need."""
    for name in PRELOADED:
        # A player reports a missing module itself, if it needs it.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def serve(channel: socket.socket) -> list[str] | None:
    """Serve requests until the channel closes or the parent ends.

    Returns:
        In a forked process, module and arguments; in the server, None.
    """
    parent = os.getppid()
    # A pipe wakes select() when a child ends (the self-pipe trick).
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    # A fork of the trainer may keep the other end of the channel open, so the parent is checked too.
    while os.getppid() == parent:
        ready = select.select([channel.fileno(), woken], [], [], PARENT_CHECK_PERIOD)[0]
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
            _report_ended(channel)
        if channel.fileno() in ready:
            data, descriptors, *_ = socket.recv_fds(channel, MAX_REQUEST, 2)
            if not data:
                break
            if _fork(channel) == 0:
                # In the child: drop the server's signal handling before anything else.
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (woken, wakes):
                    os.close(descriptor)
                return _enter_process(json.loads(data), channel, *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
    return None


def _fork(channel: socket.socket) -> int:
    """Fork; return 0 in the child, its process id in the server, -1 if the system refuses."""
    try:
        return os.fork()
    except OSError as error:
        _report(channel, failed=str(error))
        return -1


def _enter_process(request: dict[str, Any], channel: socket.socket, output: int, held: int) -> list[str]:
    """Set up a forked process as requested; `held` stays open until the process ends. Returns module and arguments."""
    try:
        os.setsid()
        # Standard input is empty; output and errors go to the descriptor of the request.
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        os.close(nothing)
        os.close(output)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        channel.send(json.dumps({"started": os.getpid()}).encode())
    except OSError as error:
        _report(channel, failed=str(error))
        os._exit(1)  # the trainer does not know this process
    channel.close()
    argv: list[str] = request["argv"]
    return argv


def _set_process_name(arguments: Sequence[str]) -> None:
    """Name the process by its environment for `top` and `ps -e`; its command line is that of the server."""
    for option, value in itertools.pairwise(arguments):
        if option == "--environment-id":
            with contextlib.suppress(OSError):
                Path("/proc/self/comm").write_text(f"player_{value}", encoding="utf-8")


def _report_ended(channel: socket.socket) -> None:
    """Report the exit codes of all children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _report(channel, ended=ended[0], code=os.waitstatus_to_exitcode(ended[1]))


def _report(channel: socket.socket, **message: Any) -> None:
    # The trainer may be gone.
    with contextlib.suppress(OSError):
        channel.send(json.dumps(message).encode())


if __name__ == "__main__":
    main()
