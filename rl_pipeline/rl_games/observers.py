"""Observers: what watches a training from outside and logs figures of its own."""

from __future__ import annotations

import logging
import os
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from torch.utils.tensorboard.writer import SummaryWriter

from rl_pipeline.envs.infos import single_number
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.sb3_formats import summary_writer
from rl_pipeline.rl_games.object_factory import ObjectFactory

SCORES: Final = ("scores", "battle_won", "is_success")
"""What an environment may call the outcome of an episode in its info; the first one counts."""


@dataclass(frozen=True)
class ObservedAlgorithm:
    """What an observer sees.

    Attributes:
        model: what learns.
        writer: takes figures for TensorBoard; None where its file could not be opened.
        games_to_track: episodes that means are taken over.
        experiment_dir: the experiment folder.
    """

    model: BaseAlgorithm
    writer: SummaryWriter | None
    games_to_track: int
    experiment_dir: Path

    def add_scalar(self, tag: str, value: float, step: float) -> None:
        """Write a figure over whatever `step` counts."""
        if self.writer is not None:
            self.writer.add_scalar(tag, value, int(step))


class AlgoObserver:
    """Watches a training. Override what you need; whatever is raised ends the training, with everything saved."""

    def before_init(self, base_name: str, config: Mapping[str, Any], experiment_name: str) -> None:
        """Before anything is made: the algorithm's name, the whole configuration, and the name of the run."""

    def after_init(self, algo: ObservedAlgorithm) -> None:
        """Model and environments are there, and the training begins."""

    def process_infos(self, infos: Sequence[Mapping[str, Any]], done_indices: NDArray[np.intp]) -> None:
        """After each step: the info of each environment, and which episodes have ended."""

    def after_steps(self) -> None:
        """A rollout is complete; the update from it comes next."""

    def after_clear_stats(self) -> None:
        """Figures over episodes begin anew: before the first rollout, also of a run that is resumed."""

    def after_print_stats(self, frame: int, epoch_num: int, total_time: float) -> None:
        """An epoch is over: environment steps so far, epochs, and seconds since this training began."""


class DefaultAlgoObserver(AlgoObserver):
    """Logs the mean outcome of the latest episodes as `scores/mean`, `scores/iter` and `scores/time`.

    These are over environment steps, epochs and seconds. An episode's outcome is `scores` in the info of its last step,
    else `battle_won`, else `is_success`; an environment that tells none of them is not logged.
    """

    def after_init(self, algo: ObservedAlgorithm) -> None:
        """Begin to count."""
        self._algo = algo
        self._scores: deque[float] = deque(maxlen=algo.games_to_track)

    def process_infos(self, infos: Sequence[Mapping[str, Any]], done_indices: NDArray[np.intp]) -> None:
        """Note the outcome of the episodes that have ended."""
        for info in (infos[index] for index in done_indices.tolist()):
            score = single_number(next((info[key] for key in SCORES if key in info), None))
            if score is not None:
                self._scores.append(score)

    def after_clear_stats(self) -> None:
        """Forget the outcomes so far."""
        self._scores.clear()

    def after_print_stats(self, frame: int, epoch_num: int, total_time: float) -> None:
        """Log the mean."""
        if self._scores:
            mean = float(np.mean(self._scores))
            for axis, step in (("mean", frame), ("iter", epoch_num), ("time", total_time)):
                self._algo.add_scalar(f"scores/{axis}", mean, step)


class IsaacAlgoObserver(DefaultAlgoObserver):
    """Logs beside the scores every number of `info["episode"]` as `Episode/<key>`, the mean of an epoch's episodes.

    Single numbers in an info of environment 0 are logged as `<key>/frame`, `/iter` and `/time`, as of the last step.
    """

    def after_init(self, algo: ObservedAlgorithm) -> None:
        """Begin to count."""
        super().after_init(algo)
        self._episodes: defaultdict[str, list[float]] = defaultdict(list)
        self._direct: dict[str, float] = {}

    def process_infos(self, infos: Sequence[Mapping[str, Any]], done_indices: NDArray[np.intp]) -> None:
        """Note what the infos hold."""
        super().process_infos(infos, done_indices)
        self._direct = _numbers(infos[0])
        for index in done_indices.tolist():
            for key, value in _numbers(infos[index].get("episode", {})).items():
                self._episodes[key].append(value)

    def after_print_stats(self, frame: int, epoch_num: int, total_time: float) -> None:
        """Log what was noted."""
        super().after_print_stats(frame, epoch_num, total_time)
        for key, values in self._episodes.items():
            self._algo.add_scalar(f"Episode/{key}", float(np.mean(values)), epoch_num)
        self._episodes.clear()
        for key, value in self._direct.items():
            for axis, step in (("frame", frame), ("iter", epoch_num), ("time", total_time)):
                self._algo.add_scalar(f"{key}/{axis}", value, step)


class MultiObserver(AlgoObserver):
    """Several observers as one, told in their order."""

    def __init__(self, observers: Sequence[AlgoObserver]) -> None:
        self.observers = tuple(observers)

    def before_init(self, base_name: str, config: Mapping[str, Any], experiment_name: str) -> None:
        """Tell all."""
        for observer in self.observers:
            observer.before_init(base_name, config, experiment_name)

    def after_init(self, algo: ObservedAlgorithm) -> None:
        """Tell all."""
        for observer in self.observers:
            observer.after_init(algo)

    def process_infos(self, infos: Sequence[Mapping[str, Any]], done_indices: NDArray[np.intp]) -> None:
        """Tell all."""
        for observer in self.observers:
            observer.process_infos(infos, done_indices)

    def after_steps(self) -> None:
        """Tell all."""
        for observer in self.observers:
            observer.after_steps()

    def after_clear_stats(self) -> None:
        """Tell all."""
        for observer in self.observers:
            observer.after_clear_stats()

    def after_print_stats(self, frame: int, epoch_num: int, total_time: float) -> None:
        """Tell all."""
        for observer in self.observers:
            observer.after_print_stats(frame, epoch_num, total_time)


OBSERVERS: Final = ObjectFactory("observer")
OBSERVERS.register_builder("default", DefaultAlgoObserver)
OBSERVERS.register_builder("isaac", IsaacAlgoObserver)


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        key: float(value)
        for key, value in values.items()
        if np.ndim(value) == 0 and isinstance(value, int | float | np.number) and not isinstance(value, bool)
    }


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
