"""Response times of the players and their shares, in the training's log and for `rl-pipeline monitor`."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Final

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config import Config
from rl_pipeline.envs.unwrapping import player_env
from rl_pipeline.experiment.communication_file import write_communication
from rl_pipeline.run.callbacks.callback import RunCallback
from rl_pipeline.simulation.player_arguments import EMBEDDED
from rl_pipeline.transport.timing import WINDOW, Communication, ResponseTimes, Statistics

PERIOD: Final = 1.0
"""Seconds between two records: the other steps cost one reading of the clock."""
SLOW_RESPONSE: Final = 8e-3
"""Seconds; the median of responses through Unity's connector is above it at its default pause of 10 ms."""
NOT_IN_TABLES: Final = ("stdout", "log")
"""Stable-Baselines3's formats that would print twenty figures a rollout."""

logger = logging.getLogger(__name__)


class PlayerMonitor(RunCallback):
    """Records `players/...` and `communication/...` in the training's log, and writes the file of `monitor`.

    Args:
        venv: the training environments; without players there is nothing to monitor.
        file: the file that `rl-pipeline monitor` reads.
        is_build: the players are Unity builds, which may poll for requests slowly.
    """

    def __init__(self, venv: VecEnv, file: Path, *, is_build: bool = False) -> None:
        super().__init__()
        self._env = player_env(venv)
        self._file = file
        self._next = 0.0
        self._hint_due = is_build

    @classmethod
    def of(cls, config: Config, venv: VecEnv, file: Path) -> PlayerMonitor:
        """Return the monitor of the configured players."""
        return cls(venv, file, is_build=config.simulation.unity.build_path != EMBEDDED)

    def after_step(self, timesteps: int) -> None:
        """Record the figures of the last steps, at most once a `PERIOD`."""
        if self._env is None or time.monotonic() < self._next:
            return
        # Record the figures of the last steps.
        self._next = time.monotonic() + PERIOD
        times, figures = self._env.response_times, self._env.communication
        self._record_response_times(times)
        if self._hint_due:
            self._hint_at_polling(times, figures)
        if figures is not None:
            self._record_communication(figures)
            write_communication(self._file, figures, timesteps)

    def _hint_at_polling(self, times: ResponseTimes, figures: Communication | None) -> None:
        """Warn once if responses take as long as the pauses of a connector, and the simulation does not explain it."""
        # Enough responses for a median.
        if times.calls < WINDOW:
            return
        self._hint_due = False
        simulating = figures.processing.mean if figures is not None else 0.0
        if times.median > SLOW_RESPONSE and simulating < times.median / 2:
            logger.warning(
                "the median response of the last %d steps takes %.1f ms; a ROS-TCP-Connector looks for requests every "
                "10 ms unless the build sets ROSConnection.SleepTimeSeconds, for example to 0.001 (docs/players.md, "
                "A Unity build)",
                times.calls, 1e3 * times.median,
            )  # fmt: skip

    def _record_response_times(self, times: ResponseTimes) -> None:
        assert self._env is not None
        if np.isnan(times.mean).all():
            return
        record, slowest = self.logger.record, times.slowest
        record("players/mean_response_ms", 1e3 * float(np.nanmean(times.mean)))
        record("players/max_response_ms", 1e3 * float(np.nanmax(times.maximum)))
        record("players/slowest_share", float(times.share[slowest]))
        record("players/slowest", self._env.players[slowest])

    def _record_communication(self, figures: Communication) -> None:
        record = self.logger.record
        for duration, statistics in vars(figures).items():
            if isinstance(statistics, Statistics):
                for name, seconds in vars(statistics).items():
                    record(f"communication/{duration}_ms/{name}", 1e3 * seconds, exclude=NOT_IN_TABLES)
        if figures.clock_offset is not None:
            record("communication/clock_offset_ms", 1e3 * figures.clock_offset.seconds, exclude=NOT_IN_TABLES)
