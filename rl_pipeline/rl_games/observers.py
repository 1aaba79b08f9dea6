"""Observers: classes that watch a training and log figures of their own, with the methods of rl_games' observers."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from torch.utils.tensorboard.writer import SummaryWriter

from rl_pipeline.envs.infos import single_number

SCORES: Final = ("scores", "battle_won", "is_success")
"""Keys under which an environment may report the outcome of an episode in its info; the first one counts."""


@dataclass(frozen=True)
class ObservedAlgorithm:
    """The part of a training that an observer sees.

    Attributes:
        model: the model in training.
        writer: TensorBoard's writer; None where its file could not be opened.
        games_to_track: number of episodes in a mean.
        experiment_dir: the experiment folder.
    """

    model: BaseAlgorithm
    writer: SummaryWriter | None
    games_to_track: int
    experiment_dir: Path

    def add_scalar(self, tag: str, value: float, step: float) -> None:
        """Write a figure over the axis of `step`: environment steps, epochs or seconds."""
        if self.writer is not None:
            self.writer.add_scalar(tag, value, int(step))


class AlgoObserver:
    """Base class of observers: override the methods that you need.

    An exception in one ends the training, with everything saved.
    """

    def before_init(self, base_name: str, config: Mapping[str, Any], experiment_name: str) -> None:
        """Take the algorithm's name, the whole configuration and the run's name, before anything is built."""

    def after_init(self, algo: ObservedAlgorithm) -> None:
        """Take the model and its environments, before the first step."""

    def process_infos(self, infos: Sequence[Mapping[str, Any]], done_indices: NDArray[np.intp]) -> None:
        """Take the info of each environment after a step, and the indices of those whose episode has ended."""

    def after_steps(self) -> None:
        """Follow the last step of a rollout, before the update from it."""

    def after_clear_stats(self) -> None:
        """Clear figures over episodes: once, before the first rollout, also of a resumed run."""

    def after_print_stats(self, frame: int, epoch_num: int, total_time: float) -> None:
        """Log at the end of an epoch.

        Args:
            frame: environment steps so far, summed over the environments.
            epoch_num: epochs so far.
            total_time: seconds since the start of this training.
        """


class DefaultAlgoObserver(AlgoObserver):
    """Observer that logs the mean outcome of the latest episodes as `scores/mean`, `scores/iter` and `scores/time`.

    Their axes are environment steps, epochs and seconds. The outcome of an episode is `scores` in the info of its last
    step, else `battle_won`, else `is_success`; nothing is logged for an environment without any of them.
    """

    def after_init(self, algo: ObservedAlgorithm) -> None:
        """Begin with an empty window of episodes."""
        self._algo = algo
        self._scores: deque[float] = deque(maxlen=algo.games_to_track)

    def process_infos(self, infos: Sequence[Mapping[str, Any]], done_indices: NDArray[np.intp]) -> None:
        """Add the outcomes of the episodes that have ended."""
        for info in (infos[index] for index in done_indices.tolist()):
            # Several numbers, such as one for each agent, are no score.
            score = single_number(next((info[key] for key in SCORES if key in info), None))
            if score is not None:
                self._scores.append(score)

    def after_clear_stats(self) -> None:
        """Clear the window of episodes."""
        self._scores.clear()

    def after_print_stats(self, frame: int, epoch_num: int, total_time: float) -> None:
        """Log the mean of the window."""
        if self._scores:
            mean = float(np.mean(self._scores))
            for axis, step in (("mean", frame), ("iter", epoch_num), ("time", total_time)):
                self._algo.add_scalar(f"scores/{axis}", mean, step)


class IsaacAlgoObserver(DefaultAlgoObserver):
    """Observer that also logs numbers of the infos, as environments of Isaac Gym report them.

    Each number of `info["episode"]` is logged as `Episode/<key>`, the mean over the episodes of an epoch. Numbers in
    the info of environment 0 are logged as `<key>/frame`, `<key>/iter` and `<key>/time`, as of the last step.
    """

    def after_init(self, algo: ObservedAlgorithm) -> None:
        """Begin without numbers."""
        super().after_init(algo)
        self._episodes: defaultdict[str, list[float]] = defaultdict(list)
        self._direct: dict[str, float] = {}

    def process_infos(self, infos: Sequence[Mapping[str, Any]], done_indices: NDArray[np.intp]) -> None:
        """Add the numbers of ended episodes, and replace those of environment 0."""
        super().process_infos(infos, done_indices)
        # rl_games has one info for all environments; here the first one stands for all.
        self._direct = _numbers(infos[0])
        for index in done_indices.tolist():
            for key, value in _numbers(infos[index].get("episode", {})).items():
                self._episodes[key].append(value)

    def after_print_stats(self, frame: int, epoch_num: int, total_time: float) -> None:
        """Log the means of the epoch and the numbers of environment 0."""
        super().after_print_stats(frame, epoch_num, total_time)
        for key, values in self._episodes.items():
            self._algo.add_scalar(f"Episode/{key}", float(np.mean(values)), epoch_num)
        self._episodes.clear()
        for key, value in self._direct.items():
            for axis, step in (("frame", frame), ("iter", epoch_num), ("time", total_time)):
                self._algo.add_scalar(f"{key}/{axis}", value, step)


class MultiObserver(AlgoObserver):
    """Several observers as one, called in their order."""

    def __init__(self, observers: Sequence[AlgoObserver]) -> None:
        self.observers = tuple(observers)

    def before_init(self, base_name: str, config: Mapping[str, Any], experiment_name: str) -> None:
        """Call all."""
        for observer in self.observers:
            observer.before_init(base_name, config, experiment_name)

    def after_init(self, algo: ObservedAlgorithm) -> None:
        """Call all."""
        for observer in self.observers:
            observer.after_init(algo)

    def process_infos(self, infos: Sequence[Mapping[str, Any]], done_indices: NDArray[np.intp]) -> None:
        """Call all."""
        for observer in self.observers:
            observer.process_infos(infos, done_indices)

    def after_steps(self) -> None:
        """Call all."""
        for observer in self.observers:
            observer.after_steps()

    def after_clear_stats(self) -> None:
        """Call all."""
        for observer in self.observers:
            observer.after_clear_stats()

    def after_print_stats(self, frame: int, epoch_num: int, total_time: float) -> None:
        """Call all."""
        for observer in self.observers:
            observer.after_print_stats(frame, epoch_num, total_time)


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the single numbers of an info, without flags and arrays."""
    return {
        key: float(value)
        for key, value in values.items()
        if np.ndim(value) == 0 and isinstance(value, int | float | np.number) and not isinstance(value, bool)
    }
