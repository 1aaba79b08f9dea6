"""Queue of frames for a peer that reads too slowly: all in order, but of each topic only the newest messages."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

DEPTH: Final = 10
"""Messages of a topic that wait for a slow peer, unless its subscription says otherwise."""
MAX_WAITING: Final = 16 * 2**20
"""Bytes that may wait for a peer; beyond it, a topic's messages replace older ones or are dropped."""


class Outbox:
    """Frames in the order in which they are sent.

    Answers and requests are never dropped. A topic keeps its `depth` newest messages, so that a slow peer gets a few
    recent messages instead of all of them with a growing delay.
    """

    def __init__(self) -> None:
        self._serials = itertools.count()
        self._frames: dict[int, tuple[memoryview, float]] = {}
        self._topics: defaultdict[str, deque[int]] = defaultdict(deque)
        self._size = 0

    def __len__(self) -> int:
        """Number of bytes that wait."""
        return self._size

    @property
    def age(self) -> float:
        """Seconds for which the oldest frame has waited; 0 if none waits."""
        return time.monotonic() - next(iter(self._frames.values()))[1] if self._frames else 0.0

    def put(self, data: bytes | memoryview) -> int:
        """Add frames that must arrive; return their serial number."""
        serial = next(self._serials)
        # A copy: the memory of a request is written to again before it is sent.
        self._frames[serial] = (memoryview(bytes(data)), time.monotonic())
        self._size += len(data)
        return serial

    def put_message(self, topic: str, data: bytes, depth: int) -> int:
        """Add a topic's message; return the number of messages of the topic that were dropped, perhaps including it."""
        waiting = self._topics[topic]
        dropped = 0
        # Older messages make room. One that is being sent is no longer in the list.
        while waiting and (len(waiting) >= depth or self._size + len(data) > MAX_WAITING):
            self._size -= len(self._frames.pop(waiting.popleft())[0])
            dropped += 1
        if self._size + len(data) > MAX_WAITING and self._size:
            return dropped + 1
        waiting.append(self.put(data))
        return dropped

    def flush(self, send: Callable[[memoryview], int]) -> None:
        """Send frames until the queue is empty or `send` raises.

        Raises:
            OSError: as `send` does; BlockingIOError if the peer's side is full.
        """
        # A frame that is sent in part stays first, with the rest of its bytes.
        while self._frames:
            serial = next(iter(self._frames))
            data, since = self._frames[serial]
            sent = send(data)
            self._size -= sent
            if sent == len(data):
                del self._frames[serial]
            else:
                self._frames[serial] = (data[sent:], since)
            self._settle(serial)

    def _settle(self, serial: int) -> None:
        """Keep a message from being dropped, since a part of it was sent."""
        for topic, waiting in self._topics.items():
            if waiting and waiting[0] == serial:
                waiting.popleft()
                if not waiting:
                    del self._topics[topic]
                return
