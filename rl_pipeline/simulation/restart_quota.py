"""Limits of a player's restarts, over the run and within a period, with the names of ML-Agents."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

from rl_pipeline.config.schema import UnityConfig

UNLIMITED: Final = -1
"""Value of a limit that never applies."""


class RestartQuota:
    """Counts the restarts of each player against `unity.max_lifetime_restarts` and `unity.restarts_rate_limit_n`.

    Args:
        unity: the limits.
        clock: monotonic time, s.
    """

    def __init__(self, unity: UnityConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime = unity.max_lifetime_restarts
        self._rate = unity.restarts_rate_limit_n
        self._period = unity.restarts_rate_limit_period_s
        self._clock = clock
        self._totals: defaultdict[int, int] = defaultdict(int)
        self._recent: defaultdict[int, deque[float]] = defaultdict(deque)

    def spend(self, environment_id: int) -> str | None:
        """Count a restart of a player, if its limits allow one more.

        Returns:
            None if the player may be restarted, else the reason with the key of the limit; nothing is counted then.
        """
        # Restarts within the period.
        now = self._clock()
        recent = self._recent[environment_id]
        while recent and now - recent[0] >= self._period:
            recent.popleft()
        # Both limits, then the count.
        if self._lifetime != UNLIMITED and self._totals[environment_id] >= self._lifetime:
            return _exhausted("unity.max_lifetime_restarts", self._lifetime)
        if self._rate != UNLIMITED and len(recent) >= self._rate:
            within = f" within {self._period:g} s (unity.restarts_rate_limit_period_s)"
            return _exhausted("unity.restarts_rate_limit_n", self._rate, within)
        self._totals[environment_id] += 1
        recent.append(now)
        return None


def _exhausted(key: str, limit: int, within: str = "") -> str:
    """Return the reason why a limit rules out a restart, as the end of a sentence about the player."""
    if limit == 0:
        return f"{key} is 0: no restart is allowed"
    return f"it was restarted {'once' if limit == 1 else f'{limit} times'}{within}, all that {key} allows"
