"""Progress from lesson to lesson as an agent learns."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from rl_pipeline.envs.parameters.environment_parameters import EnvironmentParameters
from rl_pipeline.envs.parameters.lessons import CompletionCriteria, Lesson
from rl_pipeline.errors import InputError

logger = logging.getLogger(__name__)


class Curriculum:
    """Curriculum: each parameter gets its next lesson when the present one has been learned.

    Args:
        parameters: their lessons change, from the next episodes on.
    """

    def __init__(self, parameters: EnvironmentParameters) -> None:
        self._parameters = parameters
        self._signals = {name: _Signal() for name, lessons in parameters.lessons.items() if len(lessons) > 1}

    def __bool__(self) -> bool:
        """Return True if a parameter has several lessons."""
        return bool(self._signals)

    @property
    def lessons(self) -> dict[str, int]:
        """The number of the present lesson of each parameter that has several, from 0."""
        return {name: self._parameters.current[name] for name in self._signals}

    def episode_ended(self, episode_return: float, success: bool | None, progress: float) -> None:
        """Count an episode, and move on where its lesson has been learned.

        Args:
            episode_return: sum of its rewards.
            success: whether it succeeded; None: its task does not say.
            progress: share of the training that is over.

        Raises:
            InputError: a success rate is measured of a task that does not report `is_success`.
        """
        for name, signal in self._signals.items():
            # The last lesson has no criteria.
            lesson = self._lesson(name)
            if (criteria := lesson.completion_criteria) is None:
                continue
            values = {"progress": progress, "reward": episode_return, "success_rate": success}
            value = values[criteria.measure]
            if value is None:
                raise InputError(f"environment.parameters.{name}: its task reports no success; measure reward instead")
            # A new lesson begins with an empty measure.
            if signal.exceeds(criteria, float(value)):
                self._parameters.current[name] += 1
                self._signals[name] = _Signal()
                logger.info("%s: lesson %r is learned, %r begins", name, lesson.name, self._lesson(name).name)

    def state_dict(self) -> dict[str, Any]:
        """Return the present lessons and their measurements, as JSON values."""
        return {name: [self._parameters.current[name], *signal.state()] for name, signal in self._signals.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore lessons and measurements; a lesson that is no longer there becomes the last."""
        for name in self._signals:
            if name in state:
                current, values, smoothed = state[name]
                self._parameters.current[name] = min(int(current), len(self._parameters.lessons[name]) - 1)
                self._signals[name] = _Signal(values, smoothed)

    def _lesson(self, name: str) -> Lesson:
        return self._parameters.lessons[name][self._parameters.current[name]]


class _Signal:
    """Measure over the episodes of one lesson."""

    def __init__(self, values: Any = (), smoothed: float | None = None) -> None:
        self._values: deque[float] = deque(values)
        self._smoothed = smoothed

    def exceeds(self, criteria: CompletionCriteria, value: float) -> bool:
        """Add an episode's value; return True if the measure is then over the threshold."""
        # Too few episodes say nothing.
        self._values.append(value)
        if len(self._values) < criteria.min_lesson_length:
            return False
        while len(self._values) > criteria.min_lesson_length:
            self._values.popleft()
        # Means over the last episodes, smoothed as ML-Agents does.
        measure = value if criteria.measure == "progress" else float(np.mean(self._values))
        if criteria.signal_smoothing and criteria.measure != "progress":
            measure = measure if self._smoothed is None else 0.25 * self._smoothed + 0.75 * measure
            self._smoothed = measure
        return measure > criteria.threshold

    def state(self) -> tuple[list[float], float | None]:
        """Return the values, oldest first, and the smoothed measure."""
        return list(self._values), self._smoothed
