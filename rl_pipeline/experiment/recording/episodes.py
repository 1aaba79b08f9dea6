"""The training episodes as they end: return, length and success of each, in memory and in a file."""

from __future__ import annotations

import csv
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from rl_pipeline.envs.infos import SUCCESS, episode_success
from rl_pipeline.experiment.atomic_files import OptionalFile, write_text

COLUMNS = ("timesteps", "return", "length", "success", "seconds")
RECENT = 100


@dataclass
class EpisodeHistory:
    """The episodes of a run, oldest first.

    Attributes:
        timesteps: environment steps, summed over the environments, when each episode ended.
        returns: sum of the rewards of each.
        lengths: steps of each.
        successes: whether each succeeded; empty when the environment does not report it.
    """

    timesteps: list[int] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    successes: list[bool] = field(default_factory=list)
    _recent: deque[tuple[float, bool | None]] = field(default_factory=lambda: deque(maxlen=RECENT), repr=False)

    def add(self, timesteps: int, episode_return: float, length: int, success: bool | None) -> None:
        """Note an episode that has ended."""
        self.timesteps.append(timesteps)
        self.returns.append(episode_return)
        self.lengths.append(length)
        if success is not None:
            self.successes.append(success)
        self._recent.append((episode_return, success))

    def recent_return(self) -> float | None:
        """Mean return of the last 100 episodes; None before the first."""
        return float(np.mean([episode[0] for episode in self._recent])) if self._recent else None

    def recent_success(self) -> float | None:
        """Success rate of the last 100 episodes, 0 to 1; None when it is not reported."""
        known = [success for _, success in self._recent if success is not None]
        return float(np.mean(known)) if known else None


class EpisodeRecorder(VecEnvWrapper):
    """Watches the training environments and notes each episode that ends in `history` and in a CSV file.

    A file that takes no more rows costs a warning, never the training. Raises `OSError` when it cannot be begun.

    Args:
        venv: the training environments.
        path: the CSV file.
        until: environment steps of a resumed run; the episodes up to there are kept, others forgotten.

    Attributes:
        history: the episodes.
        timesteps: environment steps so far, summed over the environments.
    """

    def __init__(self, venv: VecEnv, path: Path, until: int = 0) -> None:
        super().__init__(venv)
        self.history = EpisodeHistory()
        self.timesteps = until
        kept = _rows(path, until)
        if kept:
            write_text(path, "".join(",".join(row) + "\r\n" for row in (COLUMNS, *kept)))
        for timesteps, episode_return, length, success, _ in kept:
            self.history.add(
                int(timesteps), float(episode_return), int(length), bool(int(success)) if success else None
            )
        # Line by line, so that a killed run has all of it.
        self._file = path.open("a" if kept else "w", newline="", buffering=1)
        self._optional = OptionalFile(path)
        self._writer = csv.writer(self._file)
        if not kept:
            self._optional.attempt(lambda: self._writer.writerow(COLUMNS))
        self._began = time.monotonic() - (float(kept[-1][-1]) if kept else 0.0)
        self._returns: NDArray[np.float64] = np.zeros(venv.num_envs)
        self._lengths: NDArray[np.int64] = np.zeros(venv.num_envs, dtype=np.int64)

    def reset(self) -> VecEnvObs:
        """Reset every environment; episodes under way are not counted."""
        self._returns[:] = 0.0
        self._lengths[:] = 0
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Pass a step on, noting the episodes that it ended."""
        observations, rewards, dones, infos = self.venv.step_wait()
        self.timesteps += self.num_envs
        self._returns += rewards
        self._lengths += 1
        for index in np.flatnonzero(dones):
            self._note(index, infos[index])
        return observations, rewards, dones, infos

    def close_file(self) -> None:
        """Close the CSV file; the environments stay open, they have an owner."""
        with suppress(OSError):  # of a row that was given up and is in the buffer still
            self._file.close()

    def _note(self, index: np.intp, info: dict[str, Any]) -> None:
        success = episode_success(info)
        if success is not None:
            # Stable-Baselines3 reads it too, and takes no arrays.
            info[SUCCESS] = success
        # A lost player, or one that breaks down, ends its episode early: its return says nothing about the agent.
        if not (info.get("player_lost", False) or info.get("invalid_state", False)):
            monitored = info.get("episode", {})
            episode_return = float(monitored.get("r", self._returns[index]))
            length = int(monitored.get("l", self._lengths[index]))
            self.history.add(self.timesteps, episode_return, length, success)
            seconds = time.monotonic() - self._began
            told = "" if success is None else int(success)
            row = (self.timesteps, f"{episode_return:.6g}", length, told, f"{seconds:.3f}")
            self._optional.attempt(lambda: self._writer.writerow(row))
        self._returns[index] = 0.0
        self._lengths[index] = 0


def _rows(path: Path, until: int) -> list[list[str]]:
    """The whole rows of a file that end within the first `until` steps."""
    if not until or not path.is_file():
        return []
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row for row in rows if len(row) == len(COLUMNS) and int(row[0]) <= until]
