"""What tests of several packages share: builds of players, peers that write the protocol by hand, waiting."""

import contextlib
import os
import shlex
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path

import hypothesis
import pytest

from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.transport.frames import FrameReader, encode_command, encode_frame

# Libraries of this process take one core, players need the others; PyTorch reads this once, when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says what else the machine does; each test has a timeout.
hypothesis.settings.register_profile(
    "untimed",
    hypothesis.settings.default,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("untimed")

HANDMADE_PLAYER = Path(__file__).parent / "support" / "handmade_player.py"


class RawPlayer:
    """A peer that writes the protocol by hand, so that a test can say exactly which bytes arrive."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.reader = FrameReader()
        self.waiting = []

    def send(self, data):
        self.socket.sendall(data)

    def command(self, name, **fields):
        self.send(encode_command(name, nul=True, **fields))

    def frame(self, destination, payload):
        self.send(encode_frame(destination, payload, nul=True))

    def receive(self):
        """The next frame, or None when the endpoint closed the connection."""
        while not self.waiting:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.waiting += self.reader.feed(data)
        return self.waiting.pop(0)

    def closed(self):
        try:
            while self.receive() is not None:
                pass
        except ConnectionError:
            pass
        return True

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@pytest.fixture
def connect_raw():
    """Connect peers to a port that are written by hand."""
    players = []

    def connect(port):
        players.append(RawPlayer(port))
        return players[-1]

    yield connect
    for player in players:
        player.close()


@pytest.fixture
def build(tmp_path):
    """Make an executable out of shell commands; `{python}` and `{handmade}` stand for the interpreter and a player."""

    def make(script='exec {python} {handmade} "$@"', name="player.sh"):
        path = tmp_path / name
        commands = script.replace("{python}", shlex.quote(sys.executable)).replace("{handmade}", str(HANDMADE_PLAYER))
        path.write_text(f"#!/bin/sh\n{commands}\n")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def settings(build):
    """Settings of a simulation: of the handmade player, unless a build is named."""

    def make(build_path=None, *, n_environments=2, ros=None, **unity):
        unity = {"connect_timeout": 20.0, "step_timeout": 5.0, **unity}
        unity["build_path"] = str(build_path or build())
        ros = {"tcp_port": 0, **(ros or {})}
        return SimulationConfig.model_validate({"n_environments": n_environments, "ros": ros, "unity": unity})

    return make


@pytest.fixture
def eventually():
    """Wait until a condition holds."""

    def wait(condition, timeout=20.0):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "it never came to be"
            threading.Event().wait(0.005)

    return wait


@pytest.fixture
def is_running():
    """Whether a process id is a process that still runs (and is no zombie)."""

    def check(pid):
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        return False

    return check


@pytest.fixture
def calls_command(monkeypatch):
    """Undo what the command sets in the process that calls it: the hook of threads and the handlers of signals."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def wandb_records():
    """What a run in an experiment folder logged to Weights & Biases offline, record by record."""

    def read(folder):
        from wandb.proto.wandb_internal_pb2 import Record

        [file] = folder.glob("wandb/offline-run-*/run-*.wandb")
        content, at, block, header = file.read_bytes(), 7, 32768, 7  # LevelDB's format of logs
        records, pending = [], b""
        while at + header <= len(content):
            left = block - at % block
            if left < header:
                at += left
                continue
            _, length, kind = struct.unpack("<IHB", content[at : at + header])
            at += header + length
            pending += content[at - length : at]
            if kind in (1, 4):  # a whole record, or the last part of one
                records.append(Record.FromString(pending))
                pending = b""
        return records

    return read


@pytest.fixture(scope="session", autouse=True)
def _interruptible_children():
    """A shell starts what runs in its background with SIGINT ignored, and every child would inherit that."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


pytest_plugins = ["tests.support.training"]
