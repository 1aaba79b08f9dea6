"""What a service answers, kept until whoever asked can be reached."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import Final

from rl_pipeline.ros.serialized import RequestId, SerializedService

logger = logging.getLogger(__name__)

REACH_TIME: Final = 5.0
"""Seconds within which a client that has asked must be reachable for its answer.

DDS matches the two directions of a service one after the other, so that a request may come before there is a way back
for its answer. On a busy machine that takes longer than the tenth of a second for which the middleware itself waits.
"""
RETRY_PERIOD: Final = 0.25
"""Seconds between two attempts; of each, a tenth of a second is lost to everybody else."""


class Answers:
    """Sends the answers of a service; those whose client is not found yet, again.

    Args:
        name: the service's name.
        service: what sends them.
    """

    def __init__(self, name: str, service: SerializedService) -> None:
        self._name = name
        self._service = service
        self._unsent: deque[tuple[RequestId, bytes, float]] = deque()
        self._next_attempt = 0.0

    def __len__(self) -> int:
        """How many have not been sent."""
        return len(self._unsent)

    def send(self, request_id: RequestId, payload: bytes) -> None:
        """Answer a request, now or when its client is found.

        Raises:
            ValueError: the payload is not of the response's type.
        """
        if not self._service.respond(request_id, payload):
            now = time.monotonic()
            self._unsent.append((request_id, payload, now + REACH_TIME))
            self._next_attempt = now + RETRY_PERIOD

    def send_again(self, now: float) -> None:
        """Send what has not been sent, if it is time for that at `now` (monotonic clock, s); give up what is old."""
        if now < self._next_attempt:
            return
        self._next_attempt = now + RETRY_PERIOD
        while self._unsent:
            request_id, payload, deadline = self._unsent.popleft()
            if now >= deadline:
                logger.warning("service %s: an answer was not sent: whoever asked cannot be reached", self._name)
            elif not self._service.respond(request_id, payload):
                self._unsent.append((request_id, payload, deadline))
                return
