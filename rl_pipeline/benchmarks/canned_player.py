"""The smallest player: answers every request at once with the same bytes.

Run as a file of its own, with the standard library alone, so that what is measured is the link and not the player.
Arguments: a file with the payload of its responses, then the command line of any player. With `--connector`, the
traffic is that of Unity's ROS-TCP-Connector: replies are polled for, and each field is a small write of its own, with
Nagle's algorithm on.
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
"""Bytes of one field of a message, and so of one write of the connector."""
CONNECT_TIMEOUT: Final = 30.0
BEFORE_ID: Final = b'\x09\0\0\0__request\x12\0\0\0{"srv_id":'
ID_DIGITS: Final = 7


def frame(destination: bytes, payload: bytes) -> bytes:
    """One frame as Unity sends it."""
    return struct.pack("<I", len(destination) + 1) + destination + b"\0" + struct.pack("<I", len(payload)) + payload


def skip_frame(sock: socket.socket) -> None:
    """Receive one frame and forget it."""
    for _ in ("destination", "payload"):
        (size,) = struct.unpack("<I", sock.recv(4, socket.MSG_WAITALL))
        sock.recv(size, socket.MSG_WAITALL)


def send_fields(sock: socket.socket, data: bytearray) -> None:
    """Write a message as the connector does, field by field."""
    for start in range(0, len(data), FIELD_SIZE):
        sock.sendall(data[start : start + FIELD_SIZE])


def receive_polled(sock: socket.socket, poll: float, buffer: bytearray) -> int:
    """Look for data every `poll` seconds, as the connector does; 0 when the connection is closed."""
    while True:
        try:
            return sock.recv_into(buffer, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            time.sleep(poll)


def connected(host: str, port: int) -> socket.socket:
    """A connection to the endpoint, which may not be there yet."""
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
    """Answer requests until the endpoint closes the connection; with `poll`, in the manner of the connector."""
    sock = connected(host, port)
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, poll is None)
    sock.sendall(bytes(8))
    for service in ("Reset", "Step") if worlds == 1 else ("ResetBatch", "StepBatch"):
        name = f"/{scene}_{environment_id}/{service.lower().replace('batch', '_batch')}"
        registration = {"topic": name, "message_name": f"interfaces_pkg/{scene.capitalize()}{service}"}
        sock.sendall(frame(b"__unity_service", json.dumps(registration).encode() + b"\0"))
    skip_frame(sock)  # the handshake; everything that follows is a request
    request = bytearray(65536)
    response = bytearray(frame(b"__response", b'{"srv_id":1000000}\0'))
    response += frame(f"/{scene}_{environment_id}/step".encode(), payload)
    # Copying between views of memory that stays: an object made and dropped costs as much as half a system call here.
    asked = memoryview(request)[len(BEFORE_ID) :][:ID_DIGITS]
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
