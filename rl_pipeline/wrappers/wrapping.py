"""Wrappers by name, and the order in which they wrap environments.

A wrapper is a module with a `Settings` section and a function `wrap(venv, settings, use)`. Wrappers wrap in the order
of registration, the first one next to the environments, for any order in the YAML. `normalize` is the last, so that
replay buffers keep observations that are not normalised: its statistics change as the agent learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from pydantic import ValidationError
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.spaces import describe_space
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.registry import Registry

LAST: Final = "normalize"

WRAPPERS: Final[Registry[ModuleType]] = Registry("wrapper", "wrappers")
"""Modules of wrappers by name."""
for _name in ("clip_observations", "scale_rewards", "clip_rewards", "action_history", "frame_stack", "normalize"):
    WRAPPERS.register(_name, f"rl_pipeline.wrappers.{_name}")


@dataclass(frozen=True)
class Use:
    """Use of the wrapped environments.

    Attributes:
        training: True if an agent learns in them; else statistics stand still and rewards stay as they are.
        gamma: the algorithm's discount factor.
    """

    training: bool
    gamma: float = 0.99


def wrapper_names() -> list[str]:
    """Return the names of all wrappers, the one next to the environments first."""
    return [*(name for name in WRAPPERS if name != LAST), LAST]


def register_wrapper(name: str, module: str) -> None:
    """Add a wrapper, outside of those registered before it but inside of `normalize`.

    Args:
        name: name under `wrappers` in the configuration.
        module: name of its module, which is imported when the wrapper is first used; `__name__` in that module itself.

    Raises:
        InputError: the name is taken.
    """
    if name in WRAPPERS:
        raise InputError(f"a wrapper named {name!r} is registered already")
    WRAPPERS.register(name, module)


def wrap(venv: VecEnv, wrappers: Mapping[str, Any], use: Use) -> VecEnv:
    """Wrap environments.

    Args:
        venv: the environments.
        wrappers: settings by name of the wrapper, or true for the default ones; null or false leaves a wrapper out.
        use: training or evaluation.

    Raises:
        UnknownNameError: there is no such wrapper.
        InputError: a wrapper does not take its settings, or does not suit the environments.
    """
    for name in wrappers:
        if name not in WRAPPERS:
            raise UnknownNameError("wrapper", name, WRAPPERS, where=f"wrappers.{name}")
    for name in wrapper_names():
        given = wrappers.get(name)
        if given is None or given is False:
            continue
        module = WRAPPERS.find(name)
        settings = _validate_settings(name, module, {} if given is True else given)
        # The errors by which wrappers, Stable-Baselines3's included, refuse spaces.
        try:
            venv = module.wrap(venv, settings, use)
        except (ValueError, TypeError, IndexError, KeyError, AssertionError, NotImplementedError) as error:
            raise InputError(
                f"wrappers.{name}: does not suit {describe_space(venv.observation_space)}: {error}"
            ) from error
    return venv


def wrap_environments(config: Config, venv: VecEnv, *, training: bool) -> VecEnv:
    """Wrap environments by the configuration's wrappers. Raises `InputError` for one that does not suit them."""
    gamma = config.algorithm.parameters.get("gamma", 0.99)
    return wrap(venv, config.wrappers, Use(training, gamma if isinstance(gamma, int | float) else 0.99))


def _validate_settings(name: str, module: ModuleType, given: Any) -> Any:
    """Return the settings as an object of the module's `Settings`."""
    if not isinstance(given, Mapping):
        raise InputError(f"wrappers.{name}: expected its settings, true or null, found {given!r}")
    for key in given:
        if key not in module.Settings.model_fields:
            where = f"wrappers.{name}.{key}"
            raise UnknownNameError(f"setting of {name}", str(key), module.Settings.model_fields, where=where)
    # Report the first invalid value by its key.
    try:
        return module.Settings.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in ("wrappers", name, *first["loc"]))
        raise InputError(f"{key}: {first['msg'].lower()}, found {first['input']!r}") from error
