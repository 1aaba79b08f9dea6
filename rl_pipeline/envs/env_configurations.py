"""Environments by name: of which vector-environment type each is, and what creates it.

The look-up has two steps, as in rl_games: a name leads to its type (vecenv.py) and to its creator, and the type makes
the vector environment of the creator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NotRequired, TypedDict

from rl_pipeline.config.expectations import found
from rl_pipeline.errors import InputError, UnknownNameError

PLAYER: Final = "PLAYER"
"""The type whose creator makes a task, which the project's players simulate."""


class EnvConfiguration(TypedDict):
    """How an environment is made.

    Attributes:
        vecenv_type: a type of vecenv.py, or `PLAYER`.
        env_creator: makes what the type is made of, from the environment's keyword arguments.
        default_env_config: keyword arguments that `env_config` of a file adds to or replaces; left out, there are none.
    """

    vecenv_type: str
    env_creator: Callable[..., Any]
    default_env_config: NotRequired[Mapping[str, Any]]


configurations: Final[dict[str, EnvConfiguration]] = {}


def register(name: str, configuration: Mapping[str, Any]) -> None:
    """Make an environment known by `name`, to every verb.

    Args:
        name: such as `PointMass-v0`.
        configuration: `vecenv_type`, `env_creator` and perhaps `default_env_config`, see `EnvConfiguration`.

    Raises:
        InputError: the name is taken, a key is missing, or a value is of another kind.
        UnknownNameError: there is another key.
    """
    where = f"environment {name!r}"
    for key in configuration:
        if key not in EnvConfiguration.__annotations__:
            raise UnknownNameError("key", str(key), EnvConfiguration.__annotations__, where)
    for key in ("vecenv_type", "env_creator"):
        if key not in configuration:
            raise InputError(f"{where}: expected vecenv_type and env_creator, found no {key}")
    defaults = configuration.get("default_env_config") or {}
    if not isinstance(defaults, Mapping):
        raise InputError(f"{where}: default_env_config: expected keyword arguments by name, found {found(defaults)}")
    if name in configurations:
        raise InputError(f"{where} is registered already, of type {configurations[name]['vecenv_type']}")
    kind, creator = configuration["vecenv_type"], configuration["env_creator"]
    if kind == PLAYER:
        from rl_pipeline.envs.registration import register_task  # which looks names up here

        register_task(name, partial(creator, **defaults) if defaults else creator)
    configurations[name] = EnvConfiguration(vecenv_type=kind, env_creator=creator, default_env_config=defaults)
