"""How much goes over a connection: counters that cost nothing, and rates between two looks at them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace


@dataclass
class Traffic:
    """What came and went over a connection since it was opened.

    Attributes:
        messages_in: messages and responses that the player sent.
        messages_out: messages and requests for it.
        bytes_in: their bytes.
        bytes_out: theirs.
        dropped: topic messages dropped because the player reads too slowly.
        moment: when this was so, on the monotonic clock, s.
    """

    messages_in: int = 0
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    dropped: int = 0
    moment: float = field(default_factory=time.monotonic)

    def received(self, size: int) -> None:
        """Count one message that came, of `size` bytes."""
        self.messages_in += 1
        self.bytes_in += size

    def sent(self, size: int) -> None:
        """Count one message that went, of `size` bytes."""
        self.messages_out += 1
        self.bytes_out += size

    def now(self) -> Traffic:
        """A copy, to be compared with later."""
        return replace(self, moment=time.monotonic())

    def rates_since(self, earlier: Traffic) -> Rates:
        """What came and went in a second, on the average since an earlier look."""
        seconds = max(self.moment - earlier.moment, 1e-9)
        return Rates(
            (self.messages_in - earlier.messages_in) / seconds,
            (self.messages_out - earlier.messages_out) / seconds,
            (self.bytes_in - earlier.bytes_in) / seconds,
            (self.bytes_out - earlier.bytes_out) / seconds,
        )


@dataclass(frozen=True)
class Rates:
    """Messages and bytes a second, in both directions."""

    messages_in: float = 0.0
    messages_out: float = 0.0
    bytes_in: float = 0.0
    bytes_out: float = 0.0
