"""Parameters of each episode, drawn as the configuration says."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.parameters.lessons import Lesson, read_lessons
from rl_pipeline.envs.task import Task
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.interfaces import load_interfaces

KEY: Final = "environment.parameters"
"""Configuration key of the parameters."""


class EnvironmentParameters:
    """Parameters of episodes, which depend on the seed of the episode and the present lessons alone.

    Args:
        names: names of all parameters of the task.
        settings: of some of them: a number, a sampler or a curriculum. The others are the scene's own.
        task: name of the task, for error messages.

    Attributes:
        names: as given.
        lessons: of each parameter that has settings; a number or a sampler is a single lesson.
        current: index of the present lesson of each.

    Raises:
        InputError: there is no such parameter, or its settings are wrong.
    """

    def __init__(self, names: Sequence[str], settings: Mapping[str, Any], task: str) -> None:
        self.names = tuple(names)
        for name in settings:
            if name not in names:
                if not names:
                    raise InputError(f"{KEY}: {task} has no parameters, found {name!r}")
                raise UnknownNameError(f"parameter of {task}", name, names, KEY)
        self.lessons: dict[str, tuple[Lesson, ...]] = {
            name: read_lessons(given, f"{KEY}.{name}") for name, given in settings.items()
        }
        self.current: dict[str, int] = dict.fromkeys(self.lessons, 0)

    @classmethod
    def of(cls, task: Task, settings: Mapping[str, Any]) -> EnvironmentParameters:
        """Make the parameters of a task, named by the interface of its reset service."""
        request = load_interfaces().service(task.reset_service).request.layout().dtype
        names = request["parameters"].names if "parameters" in (request.names or ()) else ()
        return cls(names or (), settings, type(task).__name__)

    def at_last_lesson(self) -> EnvironmentParameters:
        """Return the same parameters at the end of every curriculum, for evaluations."""
        last = EnvironmentParameters(self.names, {}, "")
        last.lessons = self.lessons
        last.current = {name: len(lessons) - 1 for name, lessons in self.lessons.items()}
        return last

    def sample(self, seeds: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Draw the parameters that have settings for episodes of these seeds, shape (K,): arrays of shape (K,)."""
        return {name: self._values(name, seeds) for name in self.lessons}

    def _values(self, name: str, seeds: NDArray[np.int64]) -> NDArray[np.float64]:
        sampler = self.lessons[name][self.current[name]].value
        # The name is part of the seed, so that further parameters do not change the draws of these.
        number = zlib.crc32(name.encode())
        return np.array([sampler.draw(np.random.default_rng((seed, number))) for seed in seeds.tolist()])
