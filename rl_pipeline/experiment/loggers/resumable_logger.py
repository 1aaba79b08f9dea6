"""Stable-Baselines3's logger with a state, so that a resumed run writes the rows of an undisturbed one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import KVWriter, Logger
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rl_pipeline.experiment.checkpoints.run_state import State

ROLLOUTS: Final = "time/iterations"
"""The figure by which on-policy algorithms count their rollouts; the first that they record of each row."""


class ResumableLogger(Logger):
    """Logger whose state is its count of rollouts and the figures of the next row.

    An update records its losses for the row that the next rollout writes, and a checkpoint lies between the two.
    On-policy algorithms count the rollouts of one call of `learn`, which of a resumed run are not all.

    Args:
        folder: folder of the library's files.
        formats: outputs of each row.
        interval: rollouts of an on-policy algorithm between two rows. `learn` is to be called with 1.
    """

    def __init__(self, folder: Path, formats: Sequence[KVWriter], interval: int = 1) -> None:
        super().__init__(str(folder), list(formats))
        self._interval = interval
        self._rollouts = 0
        self._between_rows = False

    def record(self, key: str, value: Any, exclude: str | tuple[str, ...] | None = None) -> None:
        """Set a figure of the next row."""
        if key == ROLLOUTS:
            self._rollouts += 1
            value = self._rollouts
            self._between_rows = value % self._interval != 0
        if not self._between_rows:
            super().record(key, value, exclude)

    def dump(self, step: int = 0) -> None:
        """Write the row, unless it is that of a rollout between two."""
        if self._between_rows:
            self._between_rows = False
            return
        super().dump(step)

    def state_dict(self) -> State:
        """Return the numbers of the next row as scalar arrays, with the counts and exclusions of each."""
        numbers = {
            name: np.asarray(value)
            for name, value in self.name_to_value.items()
            if isinstance(value, int | float | np.number | np.bool_)
        }
        return {
            **numbers,
            "rollouts": self._rollouts,
            "counts": {name: self.name_to_count[name] for name in numbers if name in self.name_to_count},
            "excluded": {name: list(self.name_to_excluded.get(name) or ()) for name in numbers},
        }

    def load_state_dict(self, state: State) -> None:
        """Restore the next row."""
        self._rollouts = state["rollouts"]
        self.name_to_value.clear()
        self.name_to_count.clear()
        self.name_to_excluded.clear()
        self.name_to_count.update(state["counts"])
        for name, excluded in state["excluded"].items():
            self.name_to_value[name] = state[name][()]
            self.name_to_excluded[name] = tuple(excluded)


def log_interval(model: BaseAlgorithm, interval: int | None) -> dict[str, Any]:
    """The keyword argument of `learn` for `training.log_interval`; without one, each algorithm has its own default."""
    if isinstance(model, OnPolicyAlgorithm):
        return {"log_interval": 1}  # the run's logger leaves rows out
    return {} if interval is None else {"log_interval": interval}
