"""The compiled loops of a batched call: send every request, receive every response (batch_io.c).

They are worth having for what they leave out: some ten microseconds of Python a player and step. Where there was no C
compiler when the package was installed, ServiceBatch does the same in Python.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    """The compiled loops, which run without the interpreter's lock; None where they were not compiled."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError:
        return None
    pointer, number = ctypes.c_void_p, ctypes.c_int32
    library.send_requests.argtypes = [pointer, pointer, number, ctypes.c_int64, ctypes.c_char_p]
    library.receive_responses.argtypes = [
        number, pointer, pointer, number, number, ctypes.c_int64, ctypes.c_double, number, pointer, pointer
    ]  # fmt: skip
    return library


def is_compiled() -> bool:
    """Whether this installation has the compiled loops."""
    return _library() is not None


class Framed(NamedTuple):
    """Memory of frames, and the part of it where the digits of the call's id stand."""

    frames: memoryview
    digits: memoryview


class Exchange:
    """The calls of one service on N players, as the compiled loops see them.

    The memory of requests, responses and headers is the caller's.

    Args:
        count: N.
    """

    def __init__(self, count: int) -> None:
        library = _library()
        assert library is not None, "asked for is_compiled() before"
        self._send, self._receive = library.send_requests, library.receive_responses
        self._calls: NDArray[np.void] = np.zeros(count, _CALL)
        self._received = self._calls["received"]
        self._everyone: NDArray[np.int64] = np.arange(count)
        self._by_descriptor: NDArray[np.int32] = np.full(64, -1, np.int32)
        # Asking an array for its address takes as long as a small call.
        self._addresses = _address(self._calls), _address(self._everyone)
        self._descriptors = _address(self._by_descriptor), len(self._by_descriptor)
        self._arrived, self._moments = (ctypes.c_int64 * count)(), (ctypes.c_double * count)()
        self._memory: list[tuple[memoryview, Framed, Framed] | None] = [None] * count
        self._id = self._count = 0

    def prepare(self, player: int, descriptor: int, request: Framed, response: memoryview, header: Framed) -> None:
        """Say where a player's requests are, where its responses go and what they begin with, until said anew."""
        call = self._calls[player]
        known = self._memory[player]
        if known is not None and known[0] is response and known[1] is header and call["descriptor"] == descriptor:
            return
        # Kept, since the loops must not find memory that is gone, whatever becomes of the player.
        self._memory[player] = (response, header, request)
        call["descriptor"] = descriptor
        for name, memory in (("request", request.frames), ("response", response), ("header", header.frames)):
            array = np.frombuffer(memory, np.uint8)
            call[name], call[f"{name}_size"] = _address(array), array.size
        for name, memory in (("request_id", request.digits), ("header_id", header.digits)):
            call[name] = _address(np.frombuffer(memory, np.uint8))
        if descriptor >= len(self._by_descriptor):
            larger = np.full(2 * descriptor, -1, np.int32)
            larger[: len(self._by_descriptor)] = self._by_descriptor
            self._by_descriptor = larger
            self._descriptors = _address(larger), len(larger)
        self._by_descriptor[descriptor] = player

    def send(self, players: NDArray[np.intp] | None, id_: int, digits: bytes) -> list[tuple[int, int]]:
        """Send the requests of players (None: of all) in the call of an id, which is not 0, given as digits too.

        Returns:
            Those whose request was not sent whole, each with the bytes that were.
        """
        calls, address = self._addresses
        asked = self._everyone
        if players is not None:
            asked = np.ascontiguousarray(players, np.int64)
            address = _address(asked)
        self._id, self._count = id_, len(asked)
        if not self._send(calls, address, len(asked), id_, digits):
            return []
        sent = self._calls["sent"][asked]
        unsent = np.flatnonzero(sent != self._calls["request_size"][asked])
        return [(int(asked[index]), int(sent[index])) for index in unsent]

    def receive(self, epoll: int, timeout: float, quickack: int | None) -> tuple[list[int], list[float]]:
        """Receive the responses of the players that were asked, waiting at most `timeout` seconds for all.

        Args:
            epoll: descriptor of the poller of all connections.
            timeout: in seconds.
            quickack: socket option that has the kernel acknowledge at once what came of a response; None: it decides.

        Returns:
            The players whose response is whole, and when it was (s, performance counter). If they are fewer
            than were asked, time is over or there is something to look at; `received` says how much came of the others.
        """
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
        """Bytes that came of a player's response in the call of that id."""
        return int(self._received[player]) if id_ == self._id else 0


def _address(array: NDArray[np.generic]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
