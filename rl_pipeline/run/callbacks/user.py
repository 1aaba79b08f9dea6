"""Callbacks of Stable-Baselines3 that a configuration names: the user's own, and figures of the environment's infos."""

from __future__ import annotations

import inspect
import logging
from collections import deque
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.config import Config
from rl_pipeline.envs.infos import single_number
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.checkpoints.run_state import State
from rl_pipeline.plugins import import_user_module

logger = logging.getLogger(__name__)

RECENT = 100


def named_callbacks(config: Config) -> dict[str, BaseCallback]:
    """The callbacks of `training.callbacks` by their names, `module:Class`, each made with its keyword arguments.

    Raises:
        InputError: there is no such module or class, it is no callback, or it does not take its arguments.
    """
    return {name: _made(name, arguments) for name, arguments in config.training.callbacks.items()}


def _made(name: str, arguments: Any) -> BaseCallback:
    where = f"training.callbacks.{name}"
    module, _, class_name = name.partition(":")
    if not (module and class_name):
        raise InputError(f"{where}: expected module:Class, such as my_callbacks:StopWhenGood")
    found = vars(import_user_module(module, where))
    valid = [name for name, each in found.items() if isinstance(each, type) and issubclass(each, BaseCallback)]
    if class_name not in valid:
        raise UnknownNameError("callback", class_name, valid, where)
    if not isinstance(arguments or {}, dict):
        raise InputError(f"{where}: expected keyword arguments or null, found {arguments!r}")
    callback_class = found[class_name]
    try:
        inspect.signature(callback_class).bind(**(arguments or {}))
        callback: BaseCallback = callback_class(**(arguments or {}))
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: does not take {arguments or {}} ({error})") from error
    return callback


class InfoLog(BaseCallback):
    """Logs `rollout/<key>`: the mean of what the last info of an episode has under a key, over the last 100 episodes.

    Args:
        keys: of numbers or truth values in the environment's infos.
    """

    def __init__(self, keys: list[str]) -> None:
        super().__init__()
        self._values: dict[str, deque[float]] = {key: deque(maxlen=RECENT) for key in keys}
        self._missed: set[str] = set()

    def _on_step(self) -> bool:
        for index in np.flatnonzero(self.locals.get("dones", ())):
            self._note(self.locals["infos"][index])
        return True

    def _on_rollout_end(self) -> None:
        for key, values in self._values.items():
            if values:
                self.logger.record(f"rollout/{key}", float(np.mean(values)))

    def state_dict(self) -> State:
        """The values that the means are of."""
        return {key: list(values) for key, values in self._values.items()}

    def load_state_dict(self, state: State) -> None:
        """Go on with the values of a former run; keys that it did not log begin empty."""
        for key, values in self._values.items():
            values.extend(state.get(key, ()))

    def _note(self, info: dict[str, Any]) -> None:
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
