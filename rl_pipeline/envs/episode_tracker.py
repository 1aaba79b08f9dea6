"""Seeds, parameters and lengths of the episodes of N environments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.task import Fields, Task
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.interfaces.optional_fields import has_field


class EpisodeTracker:
    """The present episodes of N environments.

    Steps are counted once for all environments, since all of them step together.

    Args:
        task: the task; its reset service has a `seed` or not.
        num_envs: N.
        horizon: steps after which an episode is truncated.
        parameters: parameters of the episodes.

    Attributes:
        seeds: (N,) int64, of the present episodes.
        taken: steps taken since the beginning.
    """

    def __init__(self, task: Task, num_envs: int, horizon: int, parameters: EnvironmentParameters) -> None:
        self.seeds: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self.taken = 0
        self._horizon = horizon
        self._begun: NDArray[np.int64] = np.zeros(num_envs, np.int64)  # count of steps at the beginning
        self._first_end = 0  # count of steps before which no episode is too long
        self._takes_seeds = has_field(load_interfaces().service(task.reset_service).request.struct, "seed")
        self._parameters = parameters
        self._drawn = {f"parameters.{name}": np.zeros(num_envs) for name in parameters.lessons}

    def unset_parameters(self) -> Fields:
        """Return fields of the reset request that leave all parameters to the scene: NaN for each."""
        return {f"parameters.{name}": np.nan for name in self._parameters.names}

    def begin(self, environments: NDArray[np.intp], seeds: NDArray[np.int64], task_fields: Fields) -> Fields:
        """Begin episodes, drawing their parameters.

        Args:
            environments: the environments, shape (K,).
            seeds: seeds of their episodes, shape (K,).
            task_fields: fields of the task, which take precedence over the seed, as drawn parameters do over them.

        Returns:
            Fields of the reset request, each of leading axis N.
        """
        # Lengths count from here.
        self.seeds[environments] = seeds
        self._begun[environments] = self.taken
        self._first_end = int(self._begun.min()) + self._horizon
        # Parameters of the other environments stay as they were drawn.
        for name, values in self._parameters.sample(seeds).items():
            self._drawn[f"parameters.{name}"][environments] = values
        seed: dict[str, Any] = {"seed": self.seeds % 2**32} if self._takes_seeds else {}
        return {**seed, **task_fields, **self._drawn}

    def steps(self, index: int) -> int:
        """Return the steps taken in the episode of one environment."""
        return self.taken - int(self._begun[index])

    def too_long(self) -> NDArray[np.bool_]:
        """Return the episodes that have taken as many steps as they may, shape (N,)."""
        if self.taken < self._first_end:
            return np.zeros(len(self.seeds), np.bool_)
        too_long: NDArray[np.bool_] = self.taken - self._begun >= self._horizon
        return too_long
