"""A thousand strangers cost an endpoint in a process of its own no more than it says, and its player no answer."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rl_pipeline.transport.frames import KEEPALIVE, MAX_PAYLOAD, encode_command, encode_frame

pytestmark = pytest.mark.slow

COUNT = 1000
ALLOWED = 64 * 2**20

ENDPOINT = """
import sys
from rl_pipeline.transport.endpoint import Endpoint
with Endpoint(port=0) as endpoint:
    endpoint.start()
    print(endpoint.port, flush=True)
    for line in sys.stdin:
        endpoint.wait_until(lambda: "/s" in endpoint.services, 10)
        print(endpoint.call("/s", line.encode(), timeout=10).decode().strip(), flush=True)
"""


def memory(pid, field="VmHWM"):
    """Bytes that a process has had at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


@pytest.fixture
def endpoint():
    """An endpoint's process."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENDPOINT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    process.port = int(process.stdout.readline())
    yield process
    process.stdin.close()
    try:
        process.wait(10)
    finally:
        process.kill()
        process.stdout.close()


@pytest.fixture
def strangers(endpoint):
    """Connections that nobody vouches for."""
    sockets = [socket.create_connection(("127.0.0.1", endpoint.port), timeout=5) for _ in range(COUNT)]
    for sock in sockets:
        sock.setblocking(False)
    yield sockets
    for sock in sockets:
        sock.close()


def ask(process, text):
    process.stdin.write(text + b"\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def announced(destination, size):
    return encode_frame(destination, b"")[:-4] + size.to_bytes(4, "little")


@pytest.mark.parametrize(
    ("opening", "trickle"),
    [
        (b"", b""),
        (KEEPALIVE[:5], b""),
        (announced("/t", MAX_PAYLOAD), bytes(100_000)),
        (announced("/t", 16 * 2**20), bytes(100_000)),
        (encode_command("__publish", topic="/t", message_name="a/B") + announced("/t", 2**24), bytes(100_000)),
        (announced("__subscribe", 2**20), b"[" * 100_000),
    ],
    ids=["silent", "half a frame", "too large", "large", "registered", "commands"],
)
def test_a_thousand_strangers_cost_little(endpoint, client, strangers, opening, trickle):
    client([("/s", "std_srvs/SetBool", bytes)])
    start = memory(endpoint.pid)
    assert ask(endpoint, b"before") == b"before"
    for piece in (opening, *[trickle] * 8):
        for stranger in strangers:
            try:
                stranger.send(piece)
            except (ConnectionError, BlockingIOError):
                continue
        assert ask(endpoint, b"during") == b"during"
    assert memory(endpoint.pid) - start <= ALLOWED
    assert endpoint.poll() is None
