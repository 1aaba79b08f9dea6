"""Minimal player: answers every request at once with the same bytes.

Runs as a script with the standard library alone, so that benchmarks measure the link and not the player. Arguments: a
file with the payload of its responses, then the command line of any player. With `--connector`, its traffic is that of
Unity's ROS-TCP-Connector: it polls for replies and writes each field separately, with Nagle's algorithm on.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import socket
import struct
import time
from pathlib import Path
from typing import Final

FIELD_SIZE: Final = 8
"""Bytes of one field of a message: the connector writes fields one by one."""
CONNECT_TIMEOUT: Final = 30.0
REQUEST_PREFIX: Final = b'\x09\0\0\0__request\x12\0\0\0{"srv_id":'
"""Bytes of a request before the id of the service call."""
ID_DIGITS: Final = 7
"""Ids start at 1,000,000."""


def frame(destination: bytes, payload: bytes) -> bytes:
    """Return a frame as Unity sends it, with a NUL after the destination."""
    return struct.pack("<I", len(destination) + 1) + destination + b"\0" + struct.pack("<I", len(payload)) + payload


def skip_frame(sock: socket.socket) -> None:
    """Receive one frame and discard it."""
    for _ in ("destination", "payload"):
        (size,) = struct.unpack("<I", sock.recv(4, socket.MSG_WAITALL))
        sock.recv(size, socket.MSG_WAITALL)


def send_fields(sock: socket.socket, data: bytearray) -> None:
    """Write a message field by field, as the connector does."""
    for start in range(0, len(data), FIELD_SIZE):
        sock.sendall(data[start : start + FIELD_SIZE])


def receive_polled(sock: socket.socket, poll: float, buffer: bytearray) -> int:
    """Receive with a look every `poll` seconds, as the connector does; returns 0 when the connection is closed."""
    while True:
        try:
            return sock.recv_into(buffer, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            time.sleep(poll)


def connect(host: str, port: int) -> socket.socket:
    """Connect to the endpoint, waiting until it listens."""
    deadline = time.monotonic() + CONNECT_TIMEOUT
    while True:
        try:
            return socket.create_connection((host, port), timeout=CONNECT_TIMEOUT)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def serve(
    host: str, port: int, scene: str, environment_id: int, payload: bytes, poll: float | None, worlds: int
) -> None:
    """Answer requests until the endpoint closes the connection.

    Args:
        host: of the endpoint.
        port: of the endpoint.
        scene: name of the scene, part of the names of services.
        environment_id: number of the environment.
        payload: of each response.
        poll: seconds between two looks for data, as with the connector; None: receive at once.
        worlds: worlds of the player; several have batched services.
    """
    # Connect and register the services.
    sock = connect(host, port)
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, poll is None)
    sock.sendall(bytes(8))
    for service in ("Reset", "Step") if worlds == 1 else ("ResetBatch", "StepBatch"):
        name = f"/{scene}_{environment_id}/{service.lower().replace('batch', '_batch')}"
        registration = {"topic": name, "message_name": f"interfaces_pkg/{scene.capitalize()}{service}"}
        sock.sendall(frame(b"__unity_service", json.dumps(registration).encode() + b"\0"))
    skip_frame(sock)  # the handshake; everything after it is a request
    request = bytearray(65536)
    response = bytearray(frame(b"__response", b'{"srv_id":1000000}\0'))
    response += frame(f"/{scene}_{environment_id}/step".encode(), payload)
    # Copy ids between views of permanent memory: making and dropping an object costs half a system call here.
    asked = memoryview(request)[len(REQUEST_PREFIX) :][:ID_DIGITS]
    answered = memoryview(response)[response.index(b"1000000") :][:ID_DIGITS]
    receive = sock.recv_into if poll is None else functools.partial(receive_polled, sock, poll)
    send = sock.sendall if poll is None else functools.partial(send_fields, sock)
    # Requests are far smaller than a segment and answered before the next is sent: each arrives whole.
    while receive(request):
        answered[:] = asked
        send(response)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("payload", type=Path)
    parser.add_argument("--connector", type=float, metavar="POLL", help="seconds between two looks for data")
    parser.add_argument("--ros-ip")
    parser.add_argument("--ros-port", type=int)
    parser.add_argument("--environment-id", type=int)
    parser.add_argument("--scene", default="navigation")
    parser.add_argument("--worlds", type=int, default=1)
    # Players ignore arguments that they do not know, such as those of graphics.
    arguments, _ = parser.parse_known_args()
    with contextlib.suppress(ConnectionError):
        serve(
            arguments.ros_ip,
            arguments.ros_port,
            arguments.scene,
            arguments.environment_id,
            arguments.payload.read_bytes(),
            arguments.connector,
            arguments.worlds,
        )


if __name__ == "__main__":
    main()
