"""Figures of the environments' infos in the training's log."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any, Final

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.envs.infos import single_number
from rl_pipeline.experiment.checkpoints.run_state import State

logger = logging.getLogger(__name__)

RECENT: Final = 100
"""Episodes that a logged mean is taken over."""


class InfoLog(BaseCallback):
    """Logs `rollout/<key>`, the mean of a key in the last info of an episode, over the last 100 episodes.

    Args:
        keys: keys of numbers or truth values in the environment's infos.
    """

    def __init__(self, keys: list[str]) -> None:
        super().__init__()
        self._values: dict[str, deque[float]] = {key: deque(maxlen=RECENT) for key in keys}
        self._missed: set[str] = set()

    def _on_step(self) -> bool:
        for index in np.flatnonzero(self.locals.get("dones", ())):
            self._add(self.locals["infos"][index])
        return True

    def _on_rollout_end(self) -> None:
        for key, values in self._values.items():
            if values:
                self.logger.record(f"rollout/{key}", float(np.mean(values)))

    def state_dict(self) -> State:
        """Return the values that the means are taken over."""
        return {key: list(values) for key, values in self._values.items()}

    def load_state_dict(self, state: State) -> None:
        """Continue with the values of the state; keys that it does not have start empty."""
        for key, values in self._values.items():
            values.extend(state.get(key, ()))

    def _add(self, info: dict[str, Any]) -> None:
        """Take the values of an episode's last info; warn once of a key that is not there."""
        for key, values in self._values.items():
            if (value := single_number(info.get(key))) is not None:
                values.append(value)
            elif key not in self._missed:
                self._missed.add(key)
                numbers = [name for name, value in info.items() if np.isscalar(value) and not isinstance(value, str)]
                logger.warning(
                    "training.log_info_keys: an episode's last info has no number %r; it has %s",
                    key, ", ".join(numbers) or "none",
                )  # fmt: skip
