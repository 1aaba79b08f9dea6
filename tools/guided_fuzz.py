"""Fuzz a real endpoint, its batched calls and the codec with streams chosen by the code that they reach.

Started by `fuzz.py --guided`. libFuzzer, through Atheris, keeps each stream that reaches new code and mutates it
further: single bytes, or whole frames by the faults of `fuzz.py`, so that lengths often stay valid.
A stream that fails is written to `crash-<hash>`; `python tools/guided_fuzz.py crash-<hash>` sends it again.
"""

from __future__ import annotations

import contextlib
import random
import socket
import sys

import atheris

with atheris.instrument_imports(include=["rl_pipeline.interfaces", "rl_pipeline.transport"]):
    from fuzz import ASKED, SRV_ID, STEP, TIMEOUT, Failures, broken

    from rl_pipeline.interfaces import CodecError
    from rl_pipeline.transport.endpoint import Endpoint
    from rl_pipeline.transport.frames import FrameError, FrameReader, encode_command, encode_frame
    from rl_pipeline.transport.service_batch import ServiceBatch


class Target:
    """An endpoint, to which each stream is sent by a new player with a pending step request."""

    def __init__(self) -> None:
        self._failures = Failures.listen()
        self._endpoint = Endpoint(port=0)
        self._batch = ServiceBatch(self._endpoint, STEP, [ASKED])

    def __call__(self, stream: bytes) -> None:
        """Send the stream to its end. Raises `RuntimeError` when the endpoint fails."""
        endpoint = self._endpoint
        with socket.create_connection(("127.0.0.1", endpoint.port), TIMEOUT) as sock:
            sock.sendall(encode_command("__unity_service", topic=ASKED, message_name=STEP.name))
            self._expect(
                endpoint.wait_until(lambda: ASKED in endpoint.services, TIMEOUT), "a player could not register"
            )
            self._batch.send()
            with contextlib.suppress(OSError):  # the endpoint may close the connection at any byte
                sock.sendall(stream.replace(b"%d" % SRV_ID, b"%d" % (endpoint.router.next_srv_id() - 1)))
                sock.shutdown(socket.SHUT_WR)
            self._expect(not self._batch.receive(TIMEOUT), "a batched call waited for a player that is gone")
            for _ in self._batch.responses():
                pass
            closed = endpoint.wait_until(lambda: not endpoint.connections, TIMEOUT)
            self._expect(closed, "a connection outlived its stream")
        with contextlib.suppress(CodecError):
            STEP.response.decode(stream)
        self._expect(not self._failures.texts, "".join(self._failures.texts))

    def _expect(self, condition: bool, otherwise: str) -> None:
        if not condition:
            raise RuntimeError(otherwise)


def mutate(stream: bytes, max_size: int, seed: int) -> bytes:
    """Mutate a stream: its bytes by libFuzzer, the payload of one frame with its length, or some frames."""
    rng = random.Random(seed)
    frames = []
    with contextlib.suppress(FrameError):
        frames = [(frame.destination, frame.payload) for frame in FrameReader().feed(stream)]
    way = rng.randrange(3)
    if not frames or way == 0:
        return bytes(atheris.Mutate(stream, max_size))
    if way == 1:
        at = rng.randrange(len(frames))
        frames[at] = frames[at][0], bytes(atheris.Mutate(frames[at][1], len(frames[at][1]) + 64))
    encoded = [encode_frame(destination, payload, nul=rng.random() < 0.5) for destination, payload in frames]
    return (broken(rng, encoded) if way == 2 else b"".join(encoded))[:max_size]


if __name__ == "__main__":
    atheris.Setup(sys.argv, Target(), custom_mutator=mutate)
    atheris.Fuzz()
