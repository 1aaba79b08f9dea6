"""Tally of the episodes of a rollout: returns, lengths, successes and losses, filled step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.infos import episode_success
from rl_pipeline.experiment.evaluations import Episodes


@dataclass(frozen=True)
class RolloutStep:
    """One step of all N environments.

    Attributes:
        rewards: (N,) float.
        dones: (N,) bool, whether each episode ended with this step.
        infos: N dicts.
    """

    rewards: NDArray[np.floating[Any]]
    dones: NDArray[np.bool_]
    infos: list[dict[str, Any]]


class EpisodeTally:
    """Returns, lengths and outcomes of a number of episodes, filled step by step.

    Environment i of N plays episodes i, i + N, i + 2N, ...; further episodes are not counted.

    Args:
        count: episodes in all, > 0.
        num_envs: N.
    """

    def __init__(self, count: int, num_envs: int) -> None:
        self._count = count
        self._returns = np.zeros(count)
        self._lengths = np.zeros(count, dtype=np.int64)
        self._successes = np.zeros(count, dtype=np.bool_)
        self._lost = np.zeros(count, dtype=np.bool_)
        self._reports_success = False
        # Of the episode that each environment plays at the moment.
        self._current = np.arange(num_envs)
        self._running_returns = np.zeros(num_envs)
        self._running_lengths = np.zeros(num_envs, dtype=np.int64)

    @property
    def ended(self) -> int:
        """Episodes that have ended so far."""
        return int(np.count_nonzero(self._lengths))

    @property
    def complete(self) -> bool:
        """True once all episodes have ended."""
        return bool((self._current >= self._count).all())

    def add(self, step: RolloutStep) -> bool:
        """Add a step of every environment; returns whether any episode ended with it."""
        # Steps after the last counted episode of an environment are added too, and never recorded.
        self._running_returns += step.rewards
        self._running_lengths += 1
        ended = np.flatnonzero(step.dones)
        for index in ended:
            if self._current[index] < self._count:
                self._record(int(index), step.infos[index])
            # The environment goes on with its next episode.
            self._current[index] += len(self._current)
            self._running_returns[index] = 0.0
            self._running_lengths[index] = 0
        return bool(len(ended))

    def _record(self, index: int, info: dict[str, Any]) -> None:
        """Record the episode that ended in one environment."""
        episode = self._current[index]
        # A Monitor's figures are those of the environment itself, before wrappers scale or clip rewards.
        monitored = info.get("episode", {})
        self._returns[episode] = monitored.get("r", self._running_returns[index])
        self._lengths[episode] = monitored.get("l", self._running_lengths[index])
        self._lost[episode] = info.get("player_lost", False) or info.get("invalid_state", False)
        success = episode_success(info)
        self._successes[episode] = bool(success)
        self._reports_success |= success is not None

    def episodes(self) -> Episodes:
        """Return the episodes; successes are None for environments that do not report any."""
        successes = self._successes if self._reports_success else None
        return Episodes(self._returns, self._lengths, successes, self._lost)
