"""Curriculum of environment parameters as part of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.parameters.curriculum import Curriculum
from rl_pipeline.experiment.recording.episodes import EpisodeHistory
from rl_pipeline.run.callbacks.callback import RunCallback


class CurriculumProgress(RunCallback):
    """Advances the lessons of a curriculum as episodes end, and logs them as `curriculum/<parameter>`.

    Args:
        parameters: the parameters with lessons.
        history: the training's episodes.
        total: environment steps of the training.
    """

    name = "lessons"

    def __init__(self, parameters: EnvironmentParameters, history: EpisodeHistory, total: int) -> None:
        super().__init__()
        self._curriculum = Curriculum(parameters)
        self._history = history
        self._total = total
        self._counted = len(history.returns)

    def before_rollout(self, timesteps: int) -> None:
        """Log the lessons."""
        for name, lesson in self._curriculum.lessons.items():
            self.logger.record(f"curriculum/{name}", lesson)

    def after_step(self, timesteps: int) -> None:
        """Count the episodes that have ended since the last call."""
        history = self._history
        # Successes count only if every episode reports one.
        reported = len(history.successes) == len(history.returns)
        for index in range(self._counted, len(history.returns)):
            success = history.successes[index] if reported else None
            self._curriculum.episode_ended(history.returns[index], success, timesteps / self._total)
        self._counted = len(history.returns)

    def state_dict(self) -> dict[str, Any]:
        """Return the lessons and their progress as JSON values."""
        return self._curriculum.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue with the lessons of the state; only episodes from now on count."""
        self._curriculum.load_state_dict(state)
        self._counted = len(self._history.returns)
