"""Callbacks of a runner's training: its observer, `score_to_win`, and the folder below runs/."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Final

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.sb3_formats import summary_writer
from rl_pipeline.rl_games.observers import AlgoObserver, ObservedAlgorithm
from rl_pipeline.run.callbacks.callback import RunCallback

logger = logging.getLogger(__name__)

MIN_GAMES: Final = 20
"""Ended episodes without which a run cannot be won; a lucky first one must not end it."""


class ObserverCallback(RunCallback):
    """Callback that calls the methods of an observer at their times.

    Args:
        observer: the observer.
        frames_per_epoch: environment steps, summed over the environments, between two updates.
    """

    def __init__(self, observer: AlgoObserver, frames_per_epoch: int) -> None:
        super().__init__()
        self._observer = observer
        self._frames_per_epoch = frames_per_epoch
        self._epoch: int | None = None

    def _on_training_start(self) -> None:
        self._began = time.monotonic()
        # The model has its logger only from here on.
        writer = summary_writer(self.logger)
        window = self.model._stats_window_size
        self._observer.after_init(ObservedAlgorithm(self.model, writer, window, Path(self.logger.dir or ".")))

    def before_rollout(self, timesteps: int) -> None:
        """Clear the observer's figures before the first rollout, and report the epoch that has ended before others."""
        if self._epoch is None:
            # Not at the start of the training: a resumed run is restored just before its first rollout.
            self._epoch = timesteps // self._frames_per_epoch
            self._observer.after_clear_stats()
            return
        self._report_epoch()

    def after_step(self, timesteps: int) -> None:
        """Hand the infos of the step to the observer."""
        self._observer.process_infos(self.locals["infos"], np.flatnonzero(self.locals["dones"]))

    def _on_rollout_end(self) -> None:
        self._observer.after_steps()

    def _on_training_end(self) -> None:
        self._report_epoch()

    def _report_epoch(self) -> None:
        """Call the observer if an epoch has ended since the last call."""
        epoch = self.model.num_timesteps // self._frames_per_epoch
        if self._epoch is not None and epoch > self._epoch:
            self._epoch = epoch
            self._observer.after_print_stats(self.model.num_timesteps, epoch, time.monotonic() - self._began)


class ScoreToWin(BaseCallback):
    """Callback that ends the training when the mean return of the latest episodes exceeds a score.

    It ends the training by its return value, not by raising as a `RunCallback` would: the run is complete.

    Args:
        score: the score.
        not_before: environment steps before which the training goes on in any case.
    """

    def __init__(self, score: float, not_before: int) -> None:
        super().__init__()
        self._score = score
        self._not_before = not_before

    def _on_step(self) -> bool:
        # The window of Monitor, of games_to_track episodes.
        episodes = self.model.ep_info_buffer or ()
        if self.num_timesteps < self._not_before or len(episodes) < MIN_GAMES:
            return True
        mean = float(np.mean([episode["r"] for episode in episodes]))
        if mean > self._score:
            logger.info(
                "won: the last %d episodes return %.2f, more than score_to_win, %g", len(episodes), mean, self._score
            )
        return mean <= self._score


class RunFolder(RunCallback):
    """Callback that makes the folder of a run as rl_games does; its entries are links into the experiment folder.

    Args:
        train_dir: parent of the folders of runs; each has the name of its experiment folder.
        name: name of the networks in it.
    """

    def __init__(self, train_dir: Path, name: str) -> None:
        super().__init__()
        self._train_dir = train_dir
        self._name = name

    def _on_training_start(self) -> None:
        folder = ExperimentFolder(Path(self.logger.dir or "."))
        entries = {
            Path("experiment"): folder.path,
            Path("summaries"): folder.tensorboard,
            Path("nn") / f"{self._name}.zip": folder.best_model,
            Path("nn") / f"last_{self._name}.zip": folder.model,
            Path("nn") / "checkpoints": folder.checkpoints,
        }
        path = self._train_dir / folder.path.name
        # Relative links, so that both folders can be moved together; file systems without links cost no training.
        try:
            (path / "nn").mkdir(parents=True, exist_ok=True)
            for entry, target in entries.items():
                link = path / entry
                if not link.is_symlink():
                    link.symlink_to(os.path.relpath(target.absolute(), link.parent.absolute()))
        except OSError as error:
            logger.warning("no folder %s: %s; everything is in %s", path, error.strerror, folder.path)
