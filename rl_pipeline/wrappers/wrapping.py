"""Wrappers by name. Each is a module with a `Settings` section and a function `wrap(venv, settings, use)`.

They stand in the order of registration, the first one next to the environments, whatever the order in the YAML:
what normalises comes last, so that replay buffers keep what it is computed from.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import ValidationError
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.supported_spaces import described_space
from rl_pipeline.errors import InputError, UnknownNameError

_MODULES: dict[str, str] = {
    "clip_observations": "rl_pipeline.wrappers.clip_observations",
    "scale_rewards": "rl_pipeline.wrappers.scale_rewards",
    "clip_rewards": "rl_pipeline.wrappers.clip_rewards",
    "action_history": "rl_pipeline.wrappers.action_history",
    "frame_stack": "rl_pipeline.wrappers.frame_stack",
    "normalize": "rl_pipeline.wrappers.normalize",
}


@dataclass(frozen=True)
class Use:
    """What environments are wrapped for.

    Attributes:
        training: whether an agent learns in them; else statistics stand still and rewards stay as they are.
        gamma: the algorithm's discount factor.
    """

    training: bool
    gamma: float = 0.99


def wrapper_names() -> list[str]:
    """The wrappers there are, the one next to the environments first."""
    return list(_MODULES)


def register_wrapper(name: str, module: str) -> None:
    """Add the wrapper that a module defines; it stands outside of those before, but inside of `normalize`.

    Raises `InputError` when the name is taken.
    """
    if name in _MODULES:
        raise InputError(f"a wrapper named {name!r} is registered already")
    last = _MODULES.pop("normalize")
    _MODULES.update({name: module, "normalize": last})


def wrap(venv: VecEnv, wrappers: Mapping[str, Any], use: Use) -> VecEnv:
    """The environments in the wrappers that the section names; null or false in place of settings leaves one out.

    Raises `UnknownNameError` for an unknown wrapper, `InputError` for settings that it does not take or environments
    that it does not suit.
    """
    for name in wrappers:
        if name not in _MODULES:
            raise UnknownNameError("wrapper", name, _MODULES, where=f"wrappers.{name}")
    for name, location in _MODULES.items():
        given = wrappers.get(name)
        if given is None or given is False:
            continue
        module = importlib.import_module(location)
        settings = _settings(name, module, {} if given is True else given)
        try:
            venv = module.wrap(venv, settings, use)
        except (ValueError, TypeError, IndexError, KeyError, AssertionError, NotImplementedError) as error:
            raise InputError(
                f"wrappers.{name}: does not suit {described_space(venv.observation_space)}: {error}"
            ) from error
    return venv


def _settings(name: str, module: ModuleType, given: Any) -> Any:
    if not isinstance(given, Mapping):
        raise InputError(f"wrappers.{name}: expected its settings, true or null, found {given!r}")
    for key in given:
        if key not in module.Settings.model_fields:
            where = f"wrappers.{name}.{key}"
            raise UnknownNameError(f"setting of {name}", str(key), module.Settings.model_fields, where=where)
    try:
        return module.Settings.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in ("wrappers", name, *first["loc"]))
        raise InputError(f"{key}: {first['msg'].lower()}, found {first['input']!r}") from error


def wrapped(config: Config, venv: VecEnv, *, training: bool) -> VecEnv:
    """The environments in the wrappers of the configuration. Raises `InputError` for one that does not suit them."""
    gamma = config.algorithm.parameters.get("gamma", 0.99)
    return wrap(venv, config.wrappers, Use(training, gamma if isinstance(gamma, int | float) else 0.99))
