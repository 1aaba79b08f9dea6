"""Hyperparameters of the YAML, checked against the algorithm's constructor and turned into what it takes."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import ActionNoise, NormalActionNoise, OrnsteinUhlenbeckActionNoise
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from rl_pipeline.algorithms.schedules import AdaptiveRate, schedule
from rl_pipeline.config.values import alternatives
from rl_pipeline.errors import InputError, UnknownNameError

SECTION = "algorithm.parameters"

SET_ELSEWHERE = {
    "policy_kwargs": "algorithm.architecture",
    "seed": "training.seed",
    "device": "training.device",
    "verbose": "training.verbose",
    "env": "environment.id",
    "tensorboard_log": "experiment.directory",
}
NOISES: dict[str, type[NormalActionNoise] | type[OrnsteinUhlenbeckActionNoise]] = {
    "normal": NormalActionNoise,
    "ornstein_uhlenbeck": OrnsteinUhlenbeckActionNoise,
}
NOISE_SETTINGS = {"normal": ("sigma", "mean"), "ornstein_uhlenbeck": ("sigma", "mean", "theta", "dt")}
HINDSIGHT = ("her", "HerReplayBuffer")
SCHEDULED = ("learning_rate", "clip_range", "clip_range_vf", "delta_std")
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "a name", type(None): "null"}


def hyperparameter_names(algorithm: type[BaseAlgorithm]) -> list[str]:
    """What `algorithm.parameters` may hold for this algorithm."""
    return [
        name
        for name in constructor_parameters(algorithm)
        if name not in SET_ELSEWHERE and name not in ("self", "_init_setup_model")
    ]


def checked_hyperparameters(algorithm: type[BaseAlgorithm], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's keyword arguments for `parameters`, but for `policy` and `action_noise`.

    Raises `UnknownNameError` naming the key and the nearest, `InputError` for a value that cannot be meant.
    """
    valid = hyperparameter_names(algorithm)
    for name in parameters:
        if name in SET_ELSEWHERE:
            raise InputError(f"{SECTION}.{name}: set {SET_ELSEWHERE[name]} instead")
        if name not in valid:
            raise UnknownNameError(f"hyperparameter of {algorithm.__name__}", name, valid, where=f"{SECTION}.{name}")
    given = {name: value for name, value in parameters.items() if name not in ("policy", "action_noise")}
    annotations = {name: parameter.annotation for name, parameter in constructor_parameters(algorithm).items()}
    converted = {name: _converted(name, value, annotations[name]) for name, value in given.items()}
    for name, value in converted.items():
        if isinstance(value, AdaptiveRate) and (name != "learning_rate" or "clip_range" not in valid):
            raise InputError(f"{SECTION}.{name}: only the learning rate of PPO and its kin can be adaptive")
    return converted


def constructor_parameters(algorithm: type[BaseAlgorithm]) -> dict[str, inspect.Parameter]:
    """What the constructor takes, by name; one that passes `**kwargs` on takes what the class above it does too."""
    parameters: dict[str, inspect.Parameter] = {}
    for ancestor in algorithm.__mro__:
        if "__init__" not in vars(ancestor):
            continue
        own = inspect.signature(vars(ancestor)["__init__"], eval_str=True).parameters
        parameters = {name: each for name, each in own.items() if each.kind not in _VARIADIC} | parameters
        if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in own.values()):
            break
    return parameters


def _converted(name: str, value: Any, annotation: Any) -> Any:
    if name == "train_freq" and isinstance(value, list):
        if len(value) != 2 or value[1] not in ("step", "episode"):
            raise InputError(f"{SECTION}.train_freq: expected a number or [number, step|episode], found {value!r}")
        return tuple(value)
    if name in SCHEDULED and isinstance(value, Mapping | str):
        return schedule(f"{SECTION}.{name}", value)
    if name == "replay_buffer_class" and value in HINDSIGHT:
        return HerReplayBuffer
    if name.endswith("_class") and value is not None:
        raise InputError(f"{SECTION}.{name}: expected null, found {value!r}: classes are chosen by the algorithm")
    return _plain(name, value, annotation)


def _plain(name: str, value: Any, annotation: Any) -> Any:
    """`value`, if it is of a type that the constructor's annotation names; 1e6 may stand for a whole number.

    Stable-Baselines3 itself takes anything, and fails in the midst of training.
    """
    kinds = alternatives(annotation)
    if isinstance(value, float) and int in kinds and float not in kinds and value.is_integer():
        return int(value)
    expected = [words for kind, words in PLAIN.items() if kind in kinds]
    fits = type(value) in kinds or (type(value) is int and float in kinds)
    if isinstance(value, float) and not math.isfinite(value):
        fits = False
    if not fits and (type(value) in PLAIN or len(expected) == len(kinds)):
        raise InputError(f"{SECTION}.{name}: expected {' or '.join(expected) or 'a mapping'}, found {value!r}")
    return value


def action_noise(setting: Any, action_space: spaces.Space[Any]) -> ActionNoise | None:
    """Exploration noise for a setting such as `{normal: 0.1}` or `{ornstein_uhlenbeck: {sigma: 0.1, theta: 0.2}}`.

    Raises `InputError` for another setting, or an action space that is not a Box.
    """
    if setting is None:
        return None
    where = f"{SECTION}.action_noise"
    if not isinstance(setting, Mapping) or len(setting) != 1:
        raise InputError(f"{where}: expected null or a kind and its standard deviation, such as {{normal: 0.1}}")
    kind, given = next(iter(setting.items()))
    if kind not in NOISES:
        raise UnknownNameError("action noise", str(kind), NOISES, where=where)
    fields = dict(given) if isinstance(given, Mapping) else {"sigma": given}
    for name, value in fields.items():
        if name not in NOISE_SETTINGS[kind]:
            raise UnknownNameError(f"setting of {kind} noise", str(name), NOISE_SETTINGS[kind], where=f"{where}.{kind}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{where}.{kind}: expected {name} as a number, found {value!r}")
    if fields.get("sigma", -1) < 0:
        raise InputError(f"{where}.{kind}: expected a standard deviation of at least 0, found {given!r}")
    if not isinstance(action_space, spaces.Box):
        raise InputError(f"{where}: needs a continuous (Box) action space, found {action_space}")
    ones = np.ones(action_space.shape, dtype=np.float32)
    mean, sigma = ones * fields.pop("mean", 0.0), ones * fields.pop("sigma")
    return NOISES[kind](mean=mean, sigma=sigma, **fields)
