"""Compiled loops of a batched call: send every request, receive every response (batch_io.c).

They save some ten microseconds of Python a player and step. Where there was no C compiler when the package was
installed, ServiceBatch does the same in Python.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

# hatch_build.py compiles batch_io.c to this file when the package is built.
LIBRARY: Final = Path(__file__).with_name("libbatch_io.so")

_CALL: Final = np.dtype(
    [
        ("descriptor", np.int64),
        ("request", np.uintp),
        ("request_size", np.uint64),
        ("response", np.uintp),
        ("response_size", np.uint64),
        ("header", np.uintp),
        ("header_size", np.uint64),
        ("request_id", np.uintp),
        ("header_id", np.uintp),
        ("sent", np.uint64),
        ("received", np.uint64),
        ("outstanding", np.int64),
    ]
)
"""`struct call` of batch_io.c."""


@cache
def _library() -> ctypes.CDLL | None:
    """Load the compiled loops, which run without the interpreter's lock; None where they were not compiled."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError:
        return None
    # The arguments of batch_io.c, in their order; calls, players, tables and results are addresses.
    address = ctypes.c_void_p
    library.send_requests.argtypes = [address, address, ctypes.c_int32, ctypes.c_int64, ctypes.c_char_p]
    library.receive_responses.argtypes = [
        ctypes.c_int32,
        address,
        address,
        ctypes.c_int32,
        ctypes.c_int32,
        ctypes.c_int64,
        ctypes.c_double,
        ctypes.c_int32,
        address,
        address,
    ]
    return library


def is_compiled() -> bool:
    """Return whether this installation has the compiled loops."""
    return _library() is not None


class Framed(NamedTuple):
    """Memory of frames, and the part of it that holds the digits of the call's id."""

    frames: memoryview
    digits: memoryview


class BatchIO:
    """Sockets and memory of one service's calls on N players, for the compiled loops.

    The caller owns the memory of requests, responses and headers.

    Args:
        count: N.
    """

    def __init__(self, count: int) -> None:
        library = _library()
        assert library is not None, "is_compiled() is False"
        self._send = library.send_requests
        self._receive = library.receive_responses
        self._calls: NDArray[np.void] = np.zeros(count, _CALL)
        self._received = self._calls["received"]
        self._everyone: NDArray[np.int64] = np.arange(count)
        self._by_descriptor: NDArray[np.int32] = np.full(64, -1, np.int32)
        # Asking an array for its address takes as long as a small call.
        self._addresses = _address(self._calls), _address(self._everyone)
        self._descriptors = _address(self._by_descriptor), len(self._by_descriptor)
        self._arrived = (ctypes.c_int64 * count)()
        self._moments = (ctypes.c_double * count)()
        self._memory: list[tuple[memoryview, Framed, Framed] | None] = [None] * count
        self._id = 0
        self._count = 0

    def prepare(self, player: int, descriptor: int, request: Framed, response: memoryview, header: Framed) -> None:
        """Set a player's socket, and the memory of its requests, responses and headers, for all later calls."""
        call = self._calls[player]
        known = self._memory[player]
        if known is not None and known[0] is response and known[1] is header and call["descriptor"] == descriptor:
            return
        # Keep references: the loops must never find memory that was freed, even after a player is lost.
        self._memory[player] = (response, header, request)
        call["descriptor"] = descriptor
        # Addresses of the memory, in the struct of the C code.
        for name, memory in (("request", request.frames), ("response", response), ("header", header.frames)):
            array = np.frombuffer(memory, np.uint8)
            call[name], call[f"{name}_size"] = _address(array), array.size
        for name, memory in (("request_id", request.digits), ("header_id", header.digits)):
            call[name] = _address(np.frombuffer(memory, np.uint8))
        # The table from descriptors to players grows with the greatest descriptor.
        if descriptor >= len(self._by_descriptor):
            larger = np.full(2 * descriptor, -1, np.int32)
            larger[: len(self._by_descriptor)] = self._by_descriptor
            self._by_descriptor = larger
            self._descriptors = _address(larger), len(larger)
        self._by_descriptor[descriptor] = player

    def send(self, players: NDArray[np.intp] | None, id_: int, digits: bytes) -> list[tuple[int, int]]:
        """Send the requests of players in the call of an id.

        Args:
            players: indices, shape (M,); None: all.
            id_: id of the call, not 0.
            digits: the same as text.

        Returns:
            The players whose request was not sent completely, each with the number of bytes that were sent.
        """
        # All players: the address of a list made once.
        calls, address = self._addresses
        asked = self._everyone
        if players is not None:
            asked = np.ascontiguousarray(players, np.int64)
            address = _address(asked)
        self._id, self._count = id_, len(asked)
        if not self._send(calls, address, len(asked), id_, digits):
            return []
        # The socket of a player is full or broken.
        sent = self._calls["sent"][asked]
        unsent = np.flatnonzero(sent != self._calls["request_size"][asked])
        return [(int(asked[index]), int(sent[index])) for index in unsent]

    def receive(self, epoll: int, timeout: float, quickack: int | None) -> tuple[list[int], list[float]]:
        """Receive the responses of the players that were asked, waiting at most `timeout` seconds for all.

        Args:
            epoll: descriptor of the poller of all connections.
            timeout: seconds.
            quickack: socket option that has the kernel acknowledge a partial response at once; None: it decides.

        Returns:
            The players whose response is complete, and the times at which it was (s, performance counter). If they
            are fewer than were asked, time is over or Python has to serve an event; `received` has the bytes of the
            other players.
        """
        # Without the interpreter's lock: the background thread may run meanwhile.
        whole = self._receive(
            epoll,
            self._addresses[0],
            *self._descriptors,
            self._count,
            self._id,
            timeout,
            -1 if quickack is None else quickack,
            self._arrived,
            self._moments,
        )
        return self._arrived[:whole], self._moments[:whole]

    def received(self, player: int, id_: int) -> int:
        """Return the bytes received of a player's response in the call of that id."""
        return int(self._received[player]) if id_ == self._id else 0


def _address(array: NDArray[np.generic]) -> int:
    """Return the address of an array's memory; `array.ctypes` takes several times as long."""
    address: int = array.__array_interface__["data"][0]
    return address
