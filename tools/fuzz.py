"""Fuzz a real endpoint, its batched calls and the codec with broken byte streams, while a live player is served.

Each stream is a conversation of a player, whose frames are cut, repeated, exchanged, given other ids, separated by
commands or overwritten. Ends with code 1 when the endpoint raises, hangs, grows or stops serving the player.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import logging
import random
import re
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from rl_pipeline.interfaces import CodecError, load_interfaces
from rl_pipeline.transport.client import Client
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.frames import KEEPALIVE, encode_command, encode_frame
from rl_pipeline.transport.service_batch import ServiceBatch

GROUP = 32
"""Streams sent at the same time."""
TIMEOUT = 10.0
MEMORY = 64 * 2**20
STEP = load_interfaces().service("interfaces_pkg/NavigationStep")
ASKED = "/asked/step"
SRV_ID = 1_000_000
"""Placeholder for the id of the request in streams that are kept."""
NUMBERS = (0, 1, 4, 127, 128, 255, 1024, 1025, 65536, 2**24, 2**26, 2**31 - 1, 2**31, 2**32 - 1)
SEEDS = 256
"""Conversations in the initial corpus of a guided run."""
STATUS = re.compile(
    r"#(?P<done>\d+)\s+(?P<event>\w+)\s+cov: (?P<branches>\d+) ft: (?P<features>\d+) .* rss: (?P<memory>\d+)Mb"
)
"""Status line of libFuzzer."""
ODD_JSON = (b"", b"{", b"[]", b"null", b'{"srv_id":1e400}', b'{"srv_id":"1"}', b'{"topic":7}', b'{"topic":"\\ud800"}')


class Failures(logging.Handler):
    """Log handler that keeps exceptions, which should never be logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    @classmethod
    def listen(cls) -> Failures:
        """Attach a handler to the log of this package, and hide the log from the terminal."""
        failures, logger = cls(), logging.getLogger("rl_pipeline")
        logger.addHandler(failures)
        logger.propagate = False
        return failures

    def emit(self, record: logging.LogRecord) -> None:
        """Format each record, as a log does, and keep those with exceptions."""
        text = self.format(record)
        if record.exc_info:
            self.texts.append(text)


def response(rng: random.Random) -> bytes:
    """Return the payload of a step's response, in one of a few sizes, every other one broken."""
    lengths = {"state.lidar.ranges": (rays := rng.choice((0, 12, 30, 30, 30))), "state.lidar.tags": rays}
    payload = bytearray(STEP.response.layout(lengths).empty(1).bytes(0))
    if rng.random() < 0.5:
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(0, len(payload) - 3)
            payload[at : at + 4] = rng.choice(NUMBERS).to_bytes(4, "little")
        del payload[rng.choice((len(payload), len(payload), rng.randrange(len(payload)))) :]
    return bytes(payload)


def conversation(rng: random.Random, srv_id: int) -> list[bytes]:
    """Return whole frames as a player might send them, with invalid ones among them."""
    name, nul = rng.choice(("/t", "/s", "/alive", ASKED, "/\u00fc", "x" * 1024)), rng.random() < 0.7
    registration = {"topic": name, "message_name": rng.choice(("std_msgs/Int32", "std_srvs/SetBool", "a/b/c", ""))}
    commands = ("__subscribe", "__publish", "__ros_service", "__unity_service", "__remove_subscriber", "__token", "__x")
    choices: list[Callable[[], list[bytes]]] = [
        lambda: [KEEPALIVE * rng.randint(1, 3)],
        lambda: [encode_command(rng.choice(commands), nul=nul, **registration, latch=rng.random() < 0.5)],
        lambda: [encode_frame(name, rng.randbytes(rng.choice((0, 4, 100, 5000))), nul=nul)],
        lambda: [encode_command("__topic_list", nul=nul)],
        lambda: [encode_frame(rng.choice(("__request", "__response", *commands)), rng.choice(ODD_JSON), nul=nul)],
        lambda: [encode_command("__request", nul=nul, srv_id=rng.choice(NUMBERS)), encode_frame(name, b"\0\1\0\0\1")],
        lambda: [
            encode_command("__response", nul=nul, srv_id=rng.choice((srv_id, srv_id, srv_id + 1))),
            encode_frame(ASKED, response(rng), nul=nul),
        ],
    ]
    return [frame for _ in range(rng.randint(1, 5)) for frame in rng.choice(choices)()]


def broken(rng: random.Random, frames: list[bytes]) -> bytes:
    """Return a stream of these frames with up to three faults."""
    for _ in range(rng.randint(0, 3)):
        at = rng.randrange(len(frames))
        match rng.randrange(6):
            case 0:
                frames.insert(at, frames[rng.randrange(len(frames))])
            case 1:
                other = rng.randrange(len(frames))
                frames[at], frames[other] = frames[other], frames[at]
            case 2:
                frames[at] = frames[at][: rng.randrange(len(frames[at]) + 1)]
            case 3:
                frames.insert(at, rng.randbytes(rng.randint(1, 40)))
            case 4:
                changed = bytearray(frames[at] + bytes(8))
                start = rng.randrange(len(changed) - 4)
                changed[start : start + 4] = rng.choice(NUMBERS).to_bytes(4, "little")
                frames[at] = bytes(changed[:-8])
            case 5:
                frames.insert(at, encode_command("__topic_list"))
    return b"".join(frames)


def pieces(rng: random.Random, stream: bytes) -> Iterator[bytes]:
    """Yield the stream in pieces of random sizes."""
    while stream:
        size = rng.choice((1, 4, 7, 50, len(stream)))
        yield stream[:size]
        stream = stream[size:]


class Fuzzer:
    """An endpoint with a live player, to which broken streams are sent."""

    def __init__(self, seed: int) -> None:
        self.failures = Failures.listen()
        self._rng = random.Random(seed)
        self._endpoint = Endpoint(port=0)
        self._batch = ServiceBatch(self._endpoint, STEP, [ASKED])
        self._stop = threading.Event()
        self._player = threading.Thread(target=self._play, name="player", daemon=True)
        self._player.start()
        self._expect(lambda: "/alive" in self._endpoint.services, "the live player was not connected")
        self._others = len(self._endpoint.connections)

    def group(self) -> None:
        """Send a group of streams to their ends, and check that the live player is served meanwhile."""
        rng = self._rng
        sockets = [socket.create_connection(("127.0.0.1", self._endpoint.port), TIMEOUT) for _ in range(GROUP)]
        sockets[0].sendall(encode_command("__unity_service", topic=ASKED, message_name=STEP.name))
        self._expect(lambda: ASKED in self._endpoint.services, "a player could not register")
        self._batch.send()
        srv_id = self._endpoint.router.next_srv_id() - 1
        waiting = [(sock, pieces(rng, broken(rng, conversation(rng, srv_id)))) for sock in sockets]
        while waiting:
            waiting = [(sock, rest) for sock, rest in waiting if self._send(sock, next(rest, None))]
            self._endpoint.poll(0)
        if self._batch.receive(TIMEOUT):
            self.failures.texts.append("a batched call waited for a player that is gone")
        with contextlib.suppress(CodecError):
            for _ in self._batch.responses():
                pass
        if self._endpoint.call("/alive", b"ping", TIMEOUT) != b"ping":
            self.failures.texts.append("the live player's answer was changed")
        self._expect(lambda: len(self._endpoint.connections) == self._others, "a connection outlived its stream")
        for sock in sockets:
            sock.close()

    def codec(self) -> None:
        """Decode a broken response."""
        with contextlib.suppress(CodecError):
            STEP.response.decode(response(self._rng))

    def close(self) -> None:
        """End the player and the endpoint."""
        self._stop.set()
        self._player.join(TIMEOUT)
        self._endpoint.close()

    def _send(self, sock: socket.socket, piece: bytes | None) -> bool:
        """Send the next piece, or the end; returns whether more may follow."""
        try:
            if piece is None:
                sock.shutdown(socket.SHUT_WR)
            else:
                sock.sendall(piece)
        except OSError:  # the endpoint has closed the connection
            return False
        return piece is not None

    def _expect(self, condition: Callable[[], bool], otherwise: str) -> None:
        if not self._endpoint.wait_until(condition, TIMEOUT):
            raise RuntimeError(otherwise)

    def _play(self) -> None:
        client = Client("127.0.0.1", self._endpoint.port)
        client.serve("/alive", "std_srvs/SetBool", lambda request: request)
        while not self._stop.is_set():
            client.poll(0.2)
        client.close()


def memory() -> int:
    """Return the peak memory of this process in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def random_streams(streams: int, seed: int) -> int:
    """Send so many streams, or until a failure; returns the exit code."""
    fuzzer = Fuzzer(seed)
    fuzzer.group()
    before, began, done = memory(), time.monotonic(), 0
    try:
        while done < streams and not fuzzer.failures.texts:
            fuzzer.group()
            for _ in range(GROUP):
                fuzzer.codec()
            done += GROUP
    except RuntimeError as error:
        fuzzer.failures.texts.append(str(error))
    finally:
        fuzzer.close()
    grown = memory() - before
    if grown > MEMORY:
        fuzzer.failures.texts.append(f"memory grew by {grown / 2**20:.0f} MiB")
    rate = done / (time.monotonic() - began)
    print(f"{done:,} streams, {rate:,.0f} a second, memory {grown / 2**20:+.1f} MiB, seed {seed}")
    for text in fuzzer.failures.texts[:3]:
        print(f"FAILED near stream {done:,}: {text}")
    return 1 if fuzzer.failures.texts else 0


def guided_streams(streams: int, seed: int) -> int:
    """Send so many streams that libFuzzer chooses by the code that they reach; returns the exit code."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as corpus:
        for number in range(SEEDS):
            (Path(corpus) / f"{number}").write_bytes(b"".join(conversation(rng, SRV_ID)))
        options = [f"-runs={streams}", f"-seed={seed + 1}", f"-timeout={TIMEOUT:.0f}"]
        options += ["-max_len=8192", "-use_value_profile=1"]  # also keep streams that come closer to a compared value
        command = [sys.executable, str(Path(__file__).with_name("guided_fuzz.py")), *options, corpus]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as process:
            assert process.stderr is not None
            began, last, status = None, deque[str](maxlen=40), None
            for line in process.stderr:
                last.append(line)
                if found := STATUS.match(line):
                    status = found
                    began = found if found["event"] == "INITED" else began
                    if found["event"] != "REDUCE":
                        sys.stderr.write(line)
    if process.returncode != 0 or status is None or began is None:
        print("FAILED:", "".join(last), sep="\n")
        return 1
    grown = int(status["memory"]) - int(began["memory"])
    print(
        f"{int(status['done']):,} streams, {status['branches']} branches and {status['features']} features reached "
        f"({began['branches']} and {began['features']} by the first {SEEDS}), memory {grown:+d} MiB, seed {seed}"
    )
    if grown * 2**20 > MEMORY:
        print(f"FAILED: memory grew by {grown} MiB")
        return 1
    return 0


def main() -> int:
    """Parse the command line and send the streams."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same streams")
    parser.add_argument("--guided", action="store_true", help="choose streams by the code that they reach (Atheris)")
    options = parser.parse_args()
    if not options.guided:
        return random_streams(options.streams, options.seed)
    if importlib.util.find_spec("atheris") is None:
        parser.error("--guided needs Atheris; install it by: bash install.bash fuzz")
    return guided_streams(options.streams, options.seed)


if __name__ == "__main__":
    sys.exit(main())
