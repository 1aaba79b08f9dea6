"""What a connection asks of whoever waits for the response to a batched request."""

from __future__ import annotations

from typing import Protocol


class ResponseSlot(Protocol):
    """Where the response to an outstanding batched request goes.

    A slot that knows what the next response looks like lends its memory to `recv_into`, so that the payload lands
    where it is decoded. Whatever else arrives there is handed back as `spilled` and cut into frames as usual.
    """

    srv_id: int

    def free(self) -> memoryview | None:
        """Memory that the next bytes may be received into; None when the slot does not know what will come."""

    def received(self, size: int) -> memoryview | None:
        """Count bytes received into `free()`; returns them all back when they are not the expected response."""

    def complete(self, destination: str, payload: bytes) -> None:
        """Take a response that was cut from the stream as an ordinary frame."""

    def fail(self) -> None:
        """The connection is gone, and no response will come."""
