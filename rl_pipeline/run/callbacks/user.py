"""Callbacks of Stable-Baselines3 named by a configuration."""

from __future__ import annotations

import inspect
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.config import Config
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.plugins import import_user_module


def make_user_callbacks(config: Config) -> dict[str, BaseCallback]:
    """Make the callbacks of `training.callbacks`, each with its keyword arguments; returned by name, `module:Class`.

    Raises:
        InputError: a module or class does not exist, is no callback, or does not take its arguments.
    """
    return {name: _make(name, arguments) for name, arguments in config.training.callbacks.items()}


def _make(name: str, arguments: Any) -> BaseCallback:
    where = f"training.callbacks.{name}"
    # Find the class.
    module, _, class_name = name.partition(":")
    if not (module and class_name):
        raise InputError(f"{where}: expected module:Class, such as my_callbacks:StopWhenGood")
    found = vars(import_user_module(module, where))
    valid = [name for name, each in found.items() if isinstance(each, type) and issubclass(each, BaseCallback)]
    if class_name not in valid:
        raise UnknownNameError("callback", class_name, valid, where)
    # Make it with its arguments.
    if not isinstance(arguments or {}, dict):
        raise InputError(f"{where}: expected keyword arguments or null, found {arguments!r}")
    callback_class = found[class_name]
    try:
        inspect.signature(callback_class).bind(**(arguments or {}))
        callback: BaseCallback = callback_class(**(arguments or {}))
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: does not take {arguments or {}} ({error})") from error
    return callback
