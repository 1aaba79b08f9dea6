"""Contract between a connection and the receiver of a batched response."""

from __future__ import annotations

from typing import Protocol


class ResponseSlot(Protocol):
    """Receives the response to an outstanding batched request.

    A slot that knows the form of the next response lends its memory to `recv_into`, so that the payload lands where
    it is decoded. Other bytes that arrive there are handed back and cut into frames as usual.
    """

    srv_id: int

    def free(self) -> memoryview | None:
        """Return memory that the next bytes may be received into; None while the form of the response is unknown."""

    def received(self, size: int) -> memoryview | None:
        """Count bytes received into `free()`; return all of them if they are not the expected response."""

    def complete(self, destination: str, payload: bytes) -> None:
        """Take a response that was cut from the stream as an ordinary frame."""

    def fail(self) -> None:
        """Give up: the connection is closed, and no response will come."""
