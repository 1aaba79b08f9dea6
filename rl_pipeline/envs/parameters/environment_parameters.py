"""The parameters of each episode, as the configuration has them."""

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
"""Where the configuration says what parameters are."""


class EnvironmentParameters:
    """Draws the parameters of episodes; those of an episode depend on its seed and the present lessons alone.

    Args:
        names: of the parameters that there are.
        settings: of some of them: a number, a sampler or a curriculum. The others are the scene's own.
        task: what the parameters belong to, for error messages.

    Attributes:
        names: as given.
        lessons: of each parameter that has settings; one is enough where nothing is learned.
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
        """The parameters of a task: those that the interface of its reset service names."""
        request = load_interfaces().service(task.reset_service).request.layout().dtype
        names = request["parameters"].names if "parameters" in (request.names or ()) else ()
        return cls(names or (), settings, type(task).__name__)

    def at_last_lesson(self) -> EnvironmentParameters:
        """The same at the end of every curriculum: what an agent is judged by."""
        last = EnvironmentParameters(self.names, {}, "")
        last.lessons = self.lessons
        last.current = {name: len(lessons) - 1 for name, lessons in self.lessons.items()}
        return last

    def sample(self, seeds: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Those parameters that have settings, of the episodes of these seeds, shape (K,): arrays of shape (K,)."""
        return {name: self._values(name, seeds) for name in self.lessons}

    def _values(self, name: str, seeds: NDArray[np.int64]) -> NDArray[np.float64]:
        sampler = self.lessons[name][self.current[name]].value
        # By its name, so that further parameters do not change those that were there.
        number = zlib.crc32(name.encode())
        return np.array([sampler.draw(np.random.default_rng((seed, number))) for seed in seeds.tolist()])
