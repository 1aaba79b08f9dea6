"""Reference for rates: N processes that echo a fixed number of bytes, and one epoll loop that requests them all.

It has no frames, no decoding and no task, so that its rate is an upper limit of any trainer's over loopback.
"""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import sys
from types import TracebackType
from typing import Final

CONNECT_TIMEOUT: Final = 30.0
"""Seconds that peers have to connect, and to answer."""

_PEER: Final = """
import socket, sys
host, port, request, response = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), bytes(int(sys.argv[4]))
sock = socket.create_connection((host, port))
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while data := sock.recv(65536):
    sock.sendall(response)
"""


class Echo:
    """N echo peers.

    Args:
        peers: N.
        request_size: bytes sent to each peer in a round.
        response_size: bytes in the answer of each peer.
    """

    def __init__(self, peers: int, request_size: int, response_size: int) -> None:
        self._request = bytes(request_size)
        self._buffers: dict[int, memoryview] = {}
        self._sockets: dict[int, socket.socket] = {}
        self._epoll = select.epoll()
        with socket.create_server(("127.0.0.1", 0), backlog=peers) as listener:
            listener.settimeout(CONNECT_TIMEOUT)
            arguments = ["127.0.0.1", str(listener.getsockname()[1]), str(request_size), str(response_size)]
            # In sessions of their own like players: Linux desktops distribute processor time among sessions.
            command = [sys.executable, "-I", "-S", "-c", _PEER, *arguments]
            self._processes = [subprocess.Popen(command, start_new_session=True) for _ in range(peers)]
            for _ in range(peers):
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setblocking(False)
                self._sockets[sock.fileno()] = sock
                self._buffers[sock.fileno()] = memoryview(bytearray(response_size))
                self._epoll.register(sock.fileno(), select.EPOLLIN)

    def __enter__(self) -> Echo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sock in self._sockets.values():
            sock.close()
        self._epoll.close()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5.0)
            process.kill()
            process.wait(5.0)

    def round(self) -> None:
        """Request every peer once and wait for all answers."""
        sockets, buffers = self._sockets, self._buffers
        for sock in sockets.values():
            sock.send(self._request)
        # Large answers arrive in several parts.
        received = dict.fromkeys(sockets, 0)
        waiting = len(sockets)
        while waiting:
            for descriptor, _ in self._epoll.poll(CONNECT_TIMEOUT):
                buffer = buffers[descriptor]
                done = received[descriptor]
                done += sockets[descriptor].recv_into(buffer[done:] if done else buffer)
                received[descriptor] = done
                waiting -= done == len(buffer)
