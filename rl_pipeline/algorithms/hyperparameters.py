"""Hyperparameters of the YAML, checked against the algorithm's constructor and turned into what it takes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from rl_pipeline.algorithms.action_noise import noise_settings
from rl_pipeline.algorithms.constructors import declared_parameters, is_kind_of
from rl_pipeline.algorithms.hindsight import check_hindsight_settings
from rl_pipeline.algorithms.plain_values import plain_value
from rl_pipeline.algorithms.schedules import AdaptiveRate, Schedule, schedule
from rl_pipeline.config.expectations import found
from rl_pipeline.config.foreign_keys import FOREIGN_KEYS
from rl_pipeline.config.hyperparameters import RANGES, Range
from rl_pipeline.errors import InputError, UnknownNameError, collected, raise_together

SECTION = "algorithm.parameters"

SET_ELSEWHERE = {
    "policy_kwargs": "algorithm.architecture",
    "seed": "training.seed",
    "device": "training.device",
    "verbose": "training.verbose",
    "env": "environment.id",
    "tensorboard_log": "experiment.directory",
}
HINDSIGHT = ("her", "HerReplayBuffer")
SCHEDULED = ("learning_rate", "clip_range", "clip_range_vf", "delta_std")


def hyperparameter_names(algorithm: type[BaseAlgorithm]) -> list[str]:
    """What `algorithm.parameters` may hold for this algorithm."""
    return [
        name
        for name in constructor_parameters(algorithm)
        if name not in SET_ELSEWHERE and name not in ("self", "_init_setup_model")
    ]


def checked_hyperparameters(algorithm: type[BaseAlgorithm], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's keyword arguments for `parameters`, but for `policy` and `action_noise`.

    Raises:
        InputError: a line for each unknown name, with the nearest, and each value of a wrong type or range.
    """
    valid = hyperparameter_names(algorithm)
    constructor, limits = constructor_parameters(algorithm), hyperparameter_ranges(algorithm)
    problems: list[InputError] = []
    converted: dict[str, Any] = {}
    for name, value in parameters.items():
        with collected(problems):
            if name not in valid:
                raise _unknown(algorithm, str(name), valid)
            if name == "action_noise":
                noise_settings(value)
            elif name != "policy":
                converted[name] = _converted(name, value, constructor[name], limits.get(name))
    rate = converted.get("learning_rate")
    if isinstance(rate, AdaptiveRate) and "clip_range" not in valid:
        problems.append(InputError(f"{SECTION}.learning_rate: only that of PPO and its kin can be adaptive"))
    raise_together(problems)
    if limits:
        _check_combination(algorithm, {name: constructor[name].default for name in valid} | converted)
    return converted


def constructor_parameters(algorithm: type[BaseAlgorithm]) -> dict[str, inspect.Parameter]:
    """What the constructor takes, by name; one that passes `**kwargs` on takes what the class above it does too."""
    return {name: declared.parameter for name, declared in declared_parameters(algorithm).items()}


def hyperparameter_ranges(algorithm: type[BaseAlgorithm]) -> dict[str, Range]:
    """The range of each hyperparameter that Stable-Baselines3 or sb3-contrib declares for this algorithm."""
    declared = declared_parameters(algorithm)
    return {name: RANGES[name] for name in declared if name in RANGES and declared[name].by_library}


def _unknown(algorithm: type[BaseAlgorithm], name: str, valid: list[str]) -> InputError:
    """The error for a name that the constructor does not take, or that is set at another key."""
    elsewhere = SET_ELSEWHERE.get(name) or FOREIGN_KEYS.get(name, "")
    other = elsewhere.removeprefix(f"{SECTION}.")
    if elsewhere and (other == elsewhere or (other != name and other in valid)):
        return InputError(f"{SECTION}.{name}: set {elsewhere} instead")
    return UnknownNameError(f"hyperparameter of {algorithm.__name__}", name, valid, where=f"{SECTION}.{name}")


def _converted(name: str, value: Any, parameter: inspect.Parameter, limits: Range | None) -> Any:
    where = f"{SECTION}.{name}"
    if name == "train_freq" and isinstance(value, list | tuple):
        return _train_freq(where, value, limits)
    if name in SCHEDULED and isinstance(value, Mapping | str):
        return _schedule(where, value, parameter.default, limits)
    if name == "replay_buffer_class" and value in HINDSIGHT:
        return HerReplayBuffer
    if name.endswith("_class") and value is not None:
        raise InputError(f"{where}: expected null, found {found(value)}: classes are chosen by the algorithm")
    return plain_value(where, value, parameter.annotation, limits)


def _train_freq(where: str, value: list[Any] | tuple[Any, ...], limits: Range | None) -> tuple[int, str]:
    if len(value) != 2 or value[1] not in ("step", "episode"):
        raise InputError(f"{where}: expected a number or [number, step|episode], found {found(list(value))}")
    return plain_value(where, value[0], int, limits), value[1]


def _schedule(
    where: str, value: Mapping[str, Any] | str, default: Any, limits: Range | None
) -> Schedule | AdaptiveRate:
    rate = schedule(where, value, default if isinstance(default, float) else None)
    if limits is None:
        return rate
    initial = rate.value if isinstance(rate, AdaptiveRate) else rate.initial
    if initial not in limits:
        raise InputError(f"{where}: expected an initial value {limits}, found {initial:g}")
    # A schedule may end at zero, since the last update comes before the end.
    if isinstance(rate, Schedule) and rate.final != 0.0 and rate.final not in limits:
        zero = "" if 0.0 in limits else ", or 0"
        raise InputError(f"{where}: expected a final value {limits}{zero}, found {rate.final:g}")
    return rate


def _check_combination(algorithm: type[BaseAlgorithm], values: Mapping[str, Any]) -> None:
    """Raise `InputError` for values that are valid alone, but not together."""
    problems: list[InputError] = []
    if values.get("n_epochs") and values["normalize_advantage"] and values["batch_size"] == 1:
        problems.append(
            InputError(
                f"{SECTION}.batch_size: expected at least 2 with normalize_advantage, found 1: one has no spread"
            )
        )
    if is_kind_of(algorithm, "CrossQ") and values["batch_size"] == 1:
        problems.append(InputError(f"{SECTION}.batch_size: expected at least 2 for batch normalisation, found 1"))
    with collected(problems):
        _check_buffer_settings(values)
    raise_together(problems)


def _check_buffer_settings(values: Mapping[str, Any]) -> None:
    if values.get("rollout_buffer_kwargs"):
        where = f"{SECTION}.rollout_buffer_kwargs"
        raise InputError(f"{where}: expected null, found {found(values['rollout_buffer_kwargs'])}: it has none to set")
    if "replay_buffer_class" not in values:
        return
    where, settings = f"{SECTION}.replay_buffer_kwargs", values["replay_buffer_kwargs"] or {}
    if values["replay_buffer_class"] is HerReplayBuffer:
        check_hindsight_settings(settings)
        return
    for name in settings:
        if name != "handle_timeout_termination":
            valid = ("handle_timeout_termination",)
            raise UnknownNameError("setting of the replay buffer", str(name), valid, where=f"{where}.{name}")
    if type(settings.get("handle_timeout_termination", True)) is not bool:
        raise InputError(f"{where}.handle_timeout_termination: expected true or false")
    if values["optimize_memory_usage"] and settings.get("handle_timeout_termination", True):
        raise InputError(
            f"{SECTION}.optimize_memory_usage: needs replay_buffer_kwargs: {{handle_timeout_termination: false}}"
        )
    if values["optimize_memory_usage"] and values["n_steps"] > 1:
        raise InputError(f"{SECTION}.optimize_memory_usage: expected false with n_steps above 1, found true")
