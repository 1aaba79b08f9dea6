"""The smallest player: answers every request at once with the same bytes.

Run as a file of its own, with the standard library alone, so that what is measured is the link and not the player.
Arguments: a file with the payload of its responses, then the command line of any player. With `--connector`, the
traffic is that of Unity's ROS-TCP-Connector: replies are polled for, and each field is a small write of its own, with
Nagle's algorithm on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import struct
import time
from pathlib import Path
from typing import Final

FIELD_SIZE: Final = 8
"""Bytes of one field of a message, and so of one write of the connector."""
CONNECT_TIMEOUT: Final = 30.0


def frame(destination: bytes, payload: bytes) -> bytes:
    """One frame as Unity sends it."""
    return struct.pack("<I", len(destination) + 1) + destination + b"\0" + struct.pack("<I", len(payload)) + payload


def send_fields(sock: socket.socket, data: bytes) -> None:
    """Write a message as the connector does, field by field."""
    for start in range(0, len(data), FIELD_SIZE):
        sock.sendall(data[start : start + FIELD_SIZE])


def receive_polled(sock: socket.socket, poll: float) -> bytes:
    """Look for data every `poll` seconds, as the connector does; empty when the connection is closed."""
    while True:
        try:
            return sock.recv(65536, socket.MSG_DONTWAIT)
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


def serve(host: str, port: int, scene: str, environment_id: int, payload: bytes, poll: float | None) -> None:
    """Answer requests until the endpoint closes the connection; with `poll`, in the manner of the connector."""
    sock = connected(host, port)
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, poll is None)
    sock.sendall(bytes(8))
    for service in ("Reset", "Step"):
        name = f"/{scene}_{environment_id}/{service.lower()}"
        registration = {"topic": name, "message_name": f"interfaces_pkg/{scene.capitalize()}{service}"}
        sock.sendall(frame(b"__unity_service", json.dumps(registration).encode() + b"\0"))
    marker = b'__request\x12\0\0\0{"srv_id":'
    before, _, after = frame(b"__response", b'{"srv_id":1000000}\0').partition(b"1000000")
    after += frame(f"/{scene}_{environment_id}/step".encode(), payload)
    # Requests are far smaller than a segment and answered before the next is sent: each arrives whole.
    while data := sock.recv(65536) if poll is None else receive_polled(sock, poll):
        at = data.find(marker)
        if at >= 0:
            digits = at + len(marker)
            response = before + data[digits : digits + 7] + after
            if poll is None:
                sock.sendall(response)
            else:
                send_fields(sock, response)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("payload", type=Path)
    parser.add_argument("--connector", type=float, metavar="POLL", help="seconds between two looks for data")
    parser.add_argument("--ros-ip")
    parser.add_argument("--ros-port", type=int)
    parser.add_argument("--environment-id", type=int)
    parser.add_argument("--scene", default="navigation")
    arguments, _ = parser.parse_known_args()
    with contextlib.suppress(ConnectionError):
        serve(
            arguments.ros_ip,
            arguments.ros_port,
            arguments.scene,
            arguments.environment_id,
            arguments.payload.read_bytes(),
            arguments.connector,
        )


if __name__ == "__main__":
    main()
