"""The compiled loops of a batched call: send every request, receive every response (exchange.c).

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

LIBRARY: Final = Path(__file__).with_name("libexchange.so")

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
        ("moment", np.float64),
    ]
)
"""`struct call` of exchange.c."""


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
        number, pointer, pointer, number, number, ctypes.c_int64, ctypes.c_double, pointer
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
        self._library = library
        self._calls: NDArray[np.void] = np.zeros(count, _CALL)
        self._arrived: NDArray[np.int64] = np.zeros(count, np.int64)
        self._everyone: NDArray[np.int64] = np.arange(count)
        self._by_descriptor: NDArray[np.int32] = np.full(64, -1, np.int32)
        # Asking an array for its address takes as long as a small call.
        self._addresses = [_address(array) for array in (self._calls, self._arrived, self._everyone)]
        self._moments, self._received = self._calls["moment"], self._calls["received"]
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
        self._by_descriptor[descriptor] = player

    def send(self, players: NDArray[np.intp] | None, id_: int, digits: bytes) -> list[tuple[int, int]]:
        """Send the requests of players (None: of all) in the call of an id, which is not 0, given as digits too.

        Returns:
            Those whose request was not sent whole, each with the bytes that were.
        """
        calls, _, address = self._addresses
        asked = self._everyone
        if players is not None:
            asked = np.ascontiguousarray(players, np.int64)
            address = _address(asked)
        self._id, self._count = id_, len(asked)
        if not self._library.send_requests(calls, address, len(asked), id_, digits):
            return []
        sent = self._calls["sent"][asked]
        unsent = np.flatnonzero(sent != self._calls["request_size"][asked])
        return [(int(asked[index]), int(sent[index])) for index in unsent]

    def receive(self, epoll: int, timeout: float) -> tuple[list[int], list[float]]:
        """Receive the responses of the players that were asked, waiting at most `timeout` seconds for all.

        Returns:
            The players whose response is whole, and when it was (s, performance counter). If they are fewer
            than were asked, time is over or there is something to look at; `received` says how much came of the others.
        """
        calls, arrived, _ = self._addresses
        descriptors = self._by_descriptor
        whole = self._library.receive_responses(
            epoll, calls, _address(descriptors), len(descriptors), self._count, self._id, timeout, arrived
        )
        players = self._arrived[:whole]
        return players.tolist(), self._moments[players].tolist()

    def received(self, player: int, id_: int) -> int:
        """Bytes that came of a player's response in the call of that id."""
        return int(self._received[player]) if id_ == self._id else 0


def _address(array: NDArray[np.generic]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
