"""Hyperparameters: check `algorithm.parameters` and convert it to arguments of the algorithm's constructor."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from rl_pipeline.algorithms.action_noise import parse_noise
from rl_pipeline.algorithms.constructor_arguments import check_value, declared_parameters, is_kind_of
from rl_pipeline.algorithms.hindsight import HINDSIGHT_NAMES, check_hindsight_settings
from rl_pipeline.algorithms.schedules import AdaptiveRate, Schedule, parse_schedule
from rl_pipeline.config.expectations import found
from rl_pipeline.config.foreign_keys import FOREIGN_KEYS
from rl_pipeline.config.hyperparameters import RANGES, Range
from rl_pipeline.errors import InputError, UnknownNameError, collected, raise_together

SECTION: Final = "algorithm.parameters"

SET_ELSEWHERE: Final = {
    "policy_kwargs": "algorithm.architecture",
    "seed": "training.seed",
    "device": "training.device",
    "verbose": "training.verbose",
    "env": "environment.id",
    "tensorboard_log": "experiment.directory",
}
"""Arguments of constructors that have a key in another section."""
SCHEDULED: Final = ("learning_rate", "clip_range", "clip_range_vf", "delta_std")
"""Hyperparameters that can change over a run."""


def hyperparameter_names(algorithm: type[BaseAlgorithm]) -> list[str]:
    """Return the keys of `algorithm.parameters` that this algorithm accepts."""
    return [
        name
        for name in constructor_parameters(algorithm)
        if name not in SET_ELSEWHERE and name not in ("self", "_init_setup_model")
    ]


def checked_hyperparameters(algorithm: type[BaseAlgorithm], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constructor's keyword arguments for `parameters`, without `policy` and `action_noise`.

    Raises:
        InputError: a line for each unknown name, with the nearest, and for each value of a wrong type or range.
    """
    valid = hyperparameter_names(algorithm)
    constructor, limits = constructor_parameters(algorithm), hyperparameter_ranges(algorithm)
    problems: list[InputError] = []
    converted: dict[str, Any] = {}
    # Names and values, one by one.
    for name, value in parameters.items():
        with collected(problems):
            if name not in valid:
                raise _unknown(algorithm, str(name), valid)
            if name == "action_noise":
                parse_noise(value)
            elif name != "policy":
                converted[name] = _convert(name, value, constructor[name], limits.get(name))
    # Only PPO and its relatives measure the divergence that an adaptive rate follows.
    rate = converted.get("learning_rate")
    if isinstance(rate, AdaptiveRate) and "clip_range" not in valid:
        problems.append(InputError(f"{SECTION}.learning_rate: only that of PPO and its kin can be adaptive"))
    raise_together(problems)
    # Combinations, with the defaults of the settings that were left out.
    if limits:
        _check_combination(algorithm, {name: constructor[name].default for name in valid} | converted)
    return converted


def constructor_parameters(algorithm: type[BaseAlgorithm]) -> dict[str, inspect.Parameter]:
    """Return the parameters of the constructor by name, those passed on through `**kwargs` included."""
    return {name: declared.parameter for name, declared in declared_parameters(algorithm).items()}


def hyperparameter_ranges(algorithm: type[BaseAlgorithm]) -> dict[str, Range]:
    """Return the range of each hyperparameter that Stable-Baselines3 or sb3-contrib declares for this algorithm."""
    declared = declared_parameters(algorithm)
    return {name: RANGES[name] for name in declared if name in RANGES and declared[name].by_library}


def _unknown(algorithm: type[BaseAlgorithm], name: str, valid: list[str]) -> InputError:
    """Return the error for a name that the constructor does not accept, or that has another key."""
    elsewhere = SET_ELSEWHERE.get(name) or FOREIGN_KEYS.get(name, "")
    other = elsewhere.removeprefix(f"{SECTION}.")
    if elsewhere and (other == elsewhere or (other != name and other in valid)):
        return InputError(f"{SECTION}.{name}: set {elsewhere} instead")
    return UnknownNameError(f"hyperparameter of {algorithm.__name__}", name, valid, where=f"{SECTION}.{name}")


def _convert(name: str, value: Any, parameter: inspect.Parameter, limits: Range | None) -> Any:
    """Return a value as the constructor takes it: schedules, classes and pairs made from plain values."""
    where = f"{SECTION}.{name}"
    if name == "train_freq" and isinstance(value, list | tuple):
        return _parse_train_freq(where, value, limits)
    if name in SCHEDULED and isinstance(value, Mapping | str):
        return _parse_rate(where, value, parameter.default, limits)
    if name == "replay_buffer_class" and value in HINDSIGHT_NAMES:
        return HerReplayBuffer
    if name.endswith("_class") and value is not None:
        raise InputError(f"{where}: expected null, found {found(value)}: classes are chosen by the algorithm")
    return check_value(where, value, parameter.annotation, limits)


def _parse_train_freq(where: str, value: list[Any] | tuple[Any, ...], limits: Range | None) -> tuple[int, str]:
    """Parse `[4, step]` or `[1, episode]`."""
    if len(value) != 2 or value[1] not in ("step", "episode"):
        raise InputError(f"{where}: expected a number or [number, step|episode], found {found(list(value))}")
    return check_value(where, value[0], int, limits), value[1]


def _parse_rate(
    where: str, value: Mapping[str, Any] | str, default: Any, limits: Range | None
) -> Schedule | AdaptiveRate:
    """Parse a schedule and check that its values are in range."""
    rate = parse_schedule(where, value, default if isinstance(default, float) else None)
    if limits is None:
        return rate
    initial = rate.value if isinstance(rate, AdaptiveRate) else rate.initial
    if initial not in limits:
        raise InputError(f"{where}: expected an initial value {limits}, found {initial:g}")
    # A schedule may end at zero, since the last update comes before the end of the run.
    if isinstance(rate, Schedule) and rate.final != 0.0 and rate.final not in limits:
        zero = "" if 0.0 in limits else ", or 0"
        raise InputError(f"{where}: expected a final value {limits}{zero}, found {rate.final:g}")
    return rate


def _check_combination(algorithm: type[BaseAlgorithm], values: Mapping[str, Any]) -> None:
    """Raise `InputError` for values that are valid alone but not together."""
    problems: list[InputError] = []
    # The standard deviation of one sample is NaN.
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
    """Raise `InputError` for keyword arguments that the rollout or replay buffer does not accept."""
    if values.get("rollout_buffer_kwargs"):
        where = f"{SECTION}.rollout_buffer_kwargs"
        raise InputError(f"{where}: expected null, found {found(values['rollout_buffer_kwargs'])}: it has none to set")
    if "replay_buffer_class" not in values:
        return
    where, settings = f"{SECTION}.replay_buffer_kwargs", values["replay_buffer_kwargs"] or {}
    if values["replay_buffer_class"] is HerReplayBuffer:
        check_hindsight_settings(settings)
        return
    # The plain replay buffer has one setting.
    for name in settings:
        if name != "handle_timeout_termination":
            valid = ("handle_timeout_termination",)
            raise UnknownNameError("setting of the replay buffer", str(name), valid, where=f"{where}.{name}")
    if type(settings.get("handle_timeout_termination", True)) is not bool:
        raise InputError(f"{where}.handle_timeout_termination: expected true or false")
    # With one array for observations and next observations, the last one of an episode is overwritten by a reset.
    if values["optimize_memory_usage"] and settings.get("handle_timeout_termination", True):
        raise InputError(
            f"{SECTION}.optimize_memory_usage: needs replay_buffer_kwargs: {{handle_timeout_termination: false}}"
        )
    if values["optimize_memory_usage"] and values["n_steps"] > 1:
        raise InputError(f"{SECTION}.optimize_memory_usage: expected false with n_steps above 1, found true")
