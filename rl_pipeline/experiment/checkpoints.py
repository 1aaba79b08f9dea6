"""Checkpoints spread over a run: the model each time, and the replay buffer as of the last one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.model_files import save_model
from rl_pipeline.experiment.replay_buffer import save_replay_buffer

logger = logging.getLogger(__name__)


class Milestones:
    """`count` points spread evenly over `total` steps, the last one at the end."""

    def __init__(self, total: int, count: int) -> None:
        self._points = [total * number // count for number in range(1, count + 1)]
        self._passed = 0

    def reached(self, timesteps: int) -> bool:
        """Whether a point has been passed since the last call; two passed at once count as one."""
        passed = sum(point <= timesteps for point in self._points)
        reached, self._passed = passed > self._passed, passed
        return reached


class Checkpoints:
    """Saves `checkpoints/model_<steps>_steps.zip` at each milestone, and the replay buffer of an off-policy algorithm.

    Args:
        model: what is saved.
        folder: where to.
        config: text of the configuration, kept inside each model.
        milestones: when.
        saved: called with each file.
    """

    def __init__(
        self,
        model: BaseAlgorithm,
        folder: ExperimentFolder,
        config: str,
        milestones: Milestones,
        saved: Callable[[Path], None] = lambda path: None,
    ) -> None:
        self._model, self._folder, self._config = model, folder, config
        self._milestones, self._saved = milestones, saved

    def update(self, timesteps: int) -> None:
        """Save when a milestone has been reached; to be called after each step. Raises `InputError` on a full disk."""
        if not self._milestones.reached(timesteps):
            return
        path = self._folder.checkpoints / f"model_{timesteps}_steps.zip"
        save_model(self._model, path, self._config)
        save_buffer(self._model, self._folder)
        logger.debug("saved %s", path)
        self._saved(path)


def save_buffer(model: BaseAlgorithm, folder: ExperimentFolder) -> None:
    """Save the replay buffer of an off-policy algorithm; of another, nothing."""
    if isinstance(model, OffPolicyAlgorithm):
        save_replay_buffer(model, folder.replay_buffer)
