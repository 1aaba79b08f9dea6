"""Minimal player of ML-Agents: answers every exchange at once with the same bytes.

Runs as a script with gRPC alone. Arguments: the port that mlagents-envs listens on, and two files with serialized
messages, the introduction of a player and its message of each step.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import grpc

_METHOD = "/communicator_objects.UnityToExternalProto/Exchange"
_CONNECT_TIMEOUT = 30.0


def main(port: str, introduction: Path, step: Path) -> None:
    """Connect, introduce the player, and exchange messages until the other side closes."""
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel, contextlib.suppress(grpc.RpcError):
        exchange, message = channel.unary_unary(_METHOD), step.read_bytes()
        exchange(introduction.read_bytes(), wait_for_ready=True, timeout=_CONNECT_TIMEOUT)
        while True:
            exchange(message)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
