"""Loggers by name, and those that a configuration asks for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.loggers.run_logger import RunLogger, RunLoggers
from rl_pipeline.registry import Registry

LOGGERS: Registry[type[RunLogger]] = Registry("logger", "loggers")
LOGGERS.register("wandb", "rl_pipeline.experiment.loggers.wandb_logger:WandbLogger")
LOGGERS.register("mlflow", "rl_pipeline.experiment.loggers.mlflow_logger:MlflowLogger")


def register_logger(name: str, logger: type[RunLogger] | str) -> None:
    """Register a logger, so that `loggers: {NAME: {...}}` can ask for it.

    Args:
        name: key in the YAML.
        logger: subclass of `RunLogger`, or `"module:Class"`, imported when a run first asks for it.

    Raises:
        InputError: the name is taken by another logger.
    """
    LOGGERS.register(name, logger)


def make_loggers(config: Config) -> RunLoggers:
    """Make the loggers of a run from their settings; they log nothing before `start`.

    Raises:
        InputError: a logger is unknown, does not take its settings, or needs a package that is missing.
    """
    return RunLoggers({name: _make_logger(name, settings) for name, settings in logger_settings(config).items()})


def logger_settings(config: Config) -> dict[str, dict[str, Any]]:
    """Return the settings of each logger that is switched on.

    `training.use_wandb` and `training.run_type` switch W&B on too, and `wandb_run` holds its settings; those below
    `loggers.wandb` are stronger. A debug run has no loggers.

    Raises:
        InputError: an entry is neither a mapping nor true, false or null.
    """
    if config.training.run_type == "debug":
        return {}
    # The older keys are one more entry.
    given = dict(config.loggers)
    if config.training.on_wandb:
        given.setdefault("wandb", True)
    # Entries that are switched on, each with a mapping.
    chosen = {}
    for name, settings in given.items():
        if settings is None or settings is False:
            continue
        if settings is not True and not isinstance(settings, Mapping):
            raise InputError(f"loggers.{name}: expected its settings, true or null, found {settings!r}")
        chosen[name] = {} if settings is True else dict(settings)
    if "wandb" in chosen:
        chosen["wandb"] = {**config.wandb_run.model_dump(), **chosen["wandb"]}
    return chosen


def _make_logger(name: str, settings: dict[str, Any]) -> RunLogger:
    logger_class = LOGGERS.find(name, f"loggers.{name}")
    if not (isinstance(logger_class, type) and issubclass(logger_class, RunLogger)):
        raise InputError(f"loggers.{name}: expected a subclass of RunLogger, found {logger_class!r}")
    # A misspelled setting gets the nearest valid one; a class that takes any keyword checks them itself.
    parameters = inspect.signature(logger_class).parameters
    if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()):
        for key in settings:
            if key not in parameters:
                raise UnknownNameError(f"setting of {name}", str(key), parameters, f"loggers.{name}.{key}")
    try:
        return logger_class(**settings)
    except (TypeError, ValueError) as error:
        raise InputError(f"loggers.{name}: does not take {settings} ({error})") from error
