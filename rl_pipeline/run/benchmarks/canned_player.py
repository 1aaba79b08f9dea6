"""The smallest player: answers every request at once with the same bytes.

Run as a file of its own, with the standard library alone, so that what is measured is the link and not the player.
Arguments: a file with the payload of its responses, then the command line of any player.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import struct
from pathlib import Path


def frame(destination: bytes, payload: bytes) -> bytes:
    """One frame as Unity sends it."""
    return struct.pack("<I", len(destination) + 1) + destination + b"\0" + struct.pack("<I", len(payload)) + payload


def serve(host: str, port: int, scene: str, environment_id: int, payload: bytes) -> None:
    """Answer requests until the endpoint closes the connection."""
    sock = socket.create_connection((host, port), timeout=30)
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(bytes(8))
    for service in ("Reset", "Step"):
        name = f"/{scene}_{environment_id}/{service.lower()}"
        registration = {"topic": name, "message_name": f"interfaces_pkg/{scene.capitalize()}{service}"}
        sock.sendall(frame(b"__unity_service", json.dumps(registration).encode() + b"\0"))
    marker = b'__request\x12\0\0\0{"srv_id":'
    before, _, after = frame(b"__response", b'{"srv_id":1000000}\0').partition(b"1000000")
    after += frame(f"/{scene}_{environment_id}/step".encode(), payload)
    # Requests are far smaller than a segment and answered before the next is sent: each arrives whole.
    while data := sock.recv(65536):
        at = data.find(marker)
        if at >= 0:
            digits = at + len(marker)
            sock.sendall(before + data[digits : digits + 7] + after)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("payload", type=Path)
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
        )


if __name__ == "__main__":
    main()
