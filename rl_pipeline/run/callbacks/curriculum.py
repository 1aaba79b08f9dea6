"""A curriculum as part of a training: it counts the episodes, and its lessons are logged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.parameters.curriculum import Curriculum
from rl_pipeline.experiment.recording.episodes import EpisodeHistory


class Lessons:
    """Moves a curriculum on as the training's episodes end.

    Args:
        model: where the numbers of the lessons are logged, as `curriculum/<parameter>`.
        parameters: whose lessons they are.
        history: the training's episodes.
        total: environment steps of the training.
    """

    def __init__(
        self, model: BaseAlgorithm, parameters: EnvironmentParameters, history: EpisodeHistory, total: int
    ) -> None:
        self._model, self._history, self._total = model, history, total
        self._curriculum = Curriculum(parameters)
        self._counted = len(history.returns)

    def update(self, timesteps: int) -> None:
        """Count the episodes that have ended since the last call; to be called after each step."""
        history = self._history
        reported = len(history.successes) == len(history.returns)
        for index in range(self._counted, len(history.returns)):
            success = history.successes[index] if reported else None
            self._curriculum.episode_ended(history.returns[index], success, timesteps / self._total)
        self._counted = len(history.returns)

    def record(self, timesteps: int) -> None:
        """Log the lessons; to be called before each rollout."""
        for name, lesson in self._curriculum.lessons.items():
            self._model.logger.record(f"curriculum/{name}", lesson)

    def state_dict(self) -> dict[str, Any]:
        """Everything that it takes to go on, as JSON values."""
        return self._curriculum.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the state was taken, with the episodes from now on."""
        self._curriculum.load_state_dict(state)
        self._counted = len(self._history.returns)
