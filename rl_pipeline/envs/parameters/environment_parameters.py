"""The parameters of each episode: the task's defaults, and what the configuration says instead."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.parameters.lessons import Lesson, read_lessons
from rl_pipeline.errors import InputError, UnknownNameError

KEY: Final = "environment.parameters"
"""Where the configuration says what parameters are."""


class EnvironmentParameters:
    """Draws the parameters of episodes; those of an episode depend on its seed and the present lessons alone.

    Args:
        defaults: the parameters that there are, and their values where nothing else is said.
        settings: of some of them: a number, a sampler or a curriculum.
        task: what the parameters belong to, for error messages.

    Attributes:
        lessons: of each parameter that has settings; one is enough where nothing is learned.
        current: index of the present lesson of each.

    Raises:
        InputError: there is no such parameter, or its settings are wrong.
    """

    def __init__(self, defaults: Mapping[str, float], settings: Mapping[str, Any], task: str) -> None:
        self._defaults = dict(defaults)
        for name in settings:
            if name not in defaults:
                if not defaults:
                    raise InputError(f"{KEY}: {task} has no parameters, found {name!r}")
                raise UnknownNameError(f"parameter of {task}", name, defaults, KEY)
        self.lessons: dict[str, tuple[Lesson, ...]] = {
            name: read_lessons(given, f"{KEY}.{name}") for name, given in settings.items()
        }
        self.current: dict[str, int] = dict.fromkeys(self.lessons, 0)

    def at_last_lesson(self) -> EnvironmentParameters:
        """The same at the end of every curriculum: what an agent is judged by."""
        last = EnvironmentParameters(self._defaults, {}, "")
        last.lessons = self.lessons
        last.current = {name: len(lessons) - 1 for name, lessons in self.lessons.items()}
        return last

    def sample(self, seeds: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """The parameters of the episodes of these seeds, shape (K,): each a name and an array of shape (K,)."""
        return {name: self._values(name, seeds) for name in self._defaults}

    def _values(self, name: str, seeds: NDArray[np.int64]) -> NDArray[np.float64]:
        if name not in self.lessons:
            return np.full(len(seeds), self._defaults[name])
        sampler = self.lessons[name][self.current[name]].value
        # By its name, so that further parameters do not change those that were there.
        number = zlib.crc32(name.encode())
        return np.array([sampler.draw(np.random.default_rng((seed, number))) for seed in seeds.tolist()])
