"""The runner's share of a training, as callbacks of Stable-Baselines3: observers, the end of a won run, its folder."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Final

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.logs import summary_writer
from rl_pipeline.runner.observers import AlgoObserver, ObservedAlgorithm

logger = logging.getLogger(__name__)

FEWEST_GAMES: Final = 20
"""Episodes that have to have ended before a run can be won; a lucky first one does not win it."""


class ObserverCallback(BaseCallback):
    """Tells an observer what happens.

    Args:
        observer: who is told.
        frames_per_epoch: environment steps, summed over the environments, between two updates.
    """

    def __init__(self, observer: AlgoObserver, frames_per_epoch: int) -> None:
        super().__init__()
        self._observer, self._frames = observer, frames_per_epoch
        self._epoch: int | None = None

    def _on_training_start(self) -> None:
        self._began = time.monotonic()
        writer = summary_writer(self.logger)
        window = self.model._stats_window_size
        self._observer.after_init(ObservedAlgorithm(self.model, writer, window, Path(self.logger.dir or ".")))

    def _on_rollout_start(self) -> None:
        if self._epoch is None:
            # Not before: a run that is resumed has become what it was only now.
            self._epoch = self.model.num_timesteps // self._frames
            self._observer.after_clear_stats()
            return
        self._tell_epoch()

    def _on_step(self) -> bool:
        self._observer.process_infos(self.locals["infos"], np.flatnonzero(self.locals["dones"]))
        return True

    def _on_rollout_end(self) -> None:
        self._observer.after_steps()

    def _on_training_end(self) -> None:
        self._tell_epoch()

    def _tell_epoch(self) -> None:
        epoch = self.model.num_timesteps // self._frames
        if self._epoch is not None and epoch > self._epoch:
            self._epoch = epoch
            self._observer.after_print_stats(self.model.num_timesteps, epoch, time.monotonic() - self._began)


class ScoreToWin(BaseCallback):
    """Ends the training when the latest episodes return more than is needed, on average.

    Args:
        score: what is needed.
        not_before: environment steps before which nothing is won.
    """

    def __init__(self, score: float, not_before: int) -> None:
        super().__init__()
        self._score, self._not_before = score, not_before

    def _on_step(self) -> bool:
        episodes = self.model.ep_info_buffer or ()
        if self.num_timesteps < self._not_before or len(episodes) < FEWEST_GAMES:
            return True
        mean = float(np.mean([episode["r"] for episode in episodes]))
        if mean > self._score:
            logger.info(
                "won: the last %d episodes return %.2f, more than score_to_win, %g", len(episodes), mean, self._score
            )
        return mean <= self._score


class RunFolder(BaseCallback):
    """Makes the folder in which users of rl_games look for a run; its entries lead into the experiment folder.

    Args:
        train_dir: where the folders of runs are; this one has the name of the experiment folder.
        name: of the networks in it.
    """

    def __init__(self, train_dir: Path, name: str) -> None:
        super().__init__()
        self._train_dir, self._name = train_dir, name

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
        try:
            (path / "nn").mkdir(parents=True, exist_ok=True)
            for entry, target in entries.items():
                link = path / entry
                if not link.is_symlink():
                    link.symlink_to(os.path.relpath(target.absolute(), link.parent.absolute()))
        except OSError as error:
            logger.warning("no folder %s: %s; everything is in %s", path, error.strerror, folder.path)

    def _on_step(self) -> bool:
        return True
