"""Names of environments: tasks on players, and environments that are registered with a type.

Both are registries. A task is a Gymnasium environment too, under `rl_pipeline/<name>`. An environment with a type is
looked up in two steps, as in rl_games: its configuration names a type (vec_env_types.py) and a creator, and the type
makes the vector environment with the creator.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NotRequired, TypedDict, TypeVar

import gymnasium

from rl_pipeline.config.expectations import found
from rl_pipeline.envs.gymnasium_envs.providers import register_atari_games, suggest_provider
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.plugins import import_user_module
from rl_pipeline.registry import Registry

if TYPE_CHECKING:
    from rl_pipeline.config.schema import Config
    from rl_pipeline.envs.task import Task

Entry = TypeVar("Entry")

NAMESPACE: Final = "rl_pipeline"
SECTIONS: Final = ("robot", "expert")
"""Sections of the configuration that are keyword arguments of environments, in addition to environment.env_config."""
PLAYER: Final = "PLAYER"
"""Type of the environments whose creator makes a task."""


class EnvConfiguration(TypedDict):
    """Configuration of an environment with a type.

    Attributes:
        vecenv_type: a type of vec_env_types.py, or `PLAYER`.
        env_creator: called by the type with the environment's keyword arguments.
        default_env_config: keyword arguments that `env_config` of a file adds to or replaces; left out, there are none.
    """

    vecenv_type: str
    env_creator: Callable[..., Any]
    default_env_config: NotRequired[Mapping[str, Any]]


class AssignableRegistry(Registry[Entry]):
    """A registry whose entries can be replaced by assignment, as users of rl_games do with its dictionaries."""

    def __setitem__(self, name: str, entry: Entry) -> None:
        self._entries[name] = entry
        self._names[self._fold(name)] = name


TASKS: Final[Registry[Callable[..., Any]]] = Registry("task", "environment.id")
"""Classes of tasks by full id, `rl_pipeline/Navigation-v0`, with the id without namespace as an alias."""
CONFIGURATIONS: Final[AssignableRegistry[EnvConfiguration]] = AssignableRegistry("environment", "environment.id")
"""Environments with a type by name."""


def register_task(name: str, task: str | Callable[..., Task]) -> None:
    """Register a task as `rl_pipeline/<name>`, for this package and for `gymnasium.make`.

    Args:
        name: such as `Navigation-v0`.
        task: its class or another callable that makes it, or `module:Class`, imported when it is first used.

    Raises:
        InputError: the name is taken by another task.
    """
    # In Gymnasium's registry every task is a PlayerEnv.
    env_id = f"{NAMESPACE}/{name}"
    TASKS.register(env_id, task, aliases=(name,))
    if env_id not in gymnasium.registry:
        gymnasium.register(
            env_id,
            "rl_pipeline.envs.player_env:PlayerEnv",
            kwargs={"task": env_id},
            disable_env_checker=True,
            order_enforce=False,
        )


def register_tasks() -> None:
    """Register the tasks of this package; safe to call twice."""
    register_task("Navigation-v0", "rl_pipeline.tasks.navigation:NavigationTask")
    register_task("Duel-v0", "rl_pipeline.tasks.duel:DuelTask")


def register_environment(name: str, configuration: Mapping[str, Any]) -> None:
    """Register an environment with a type, for every verb.

    Args:
        name: such as `PointMass-v0`.
        configuration: `vecenv_type`, `env_creator` and perhaps `default_env_config`, see `EnvConfiguration`.

    Raises:
        InputError: the name is taken, a key is missing, or a value is of another kind.
        UnknownNameError: there is another key.
    """
    # Check the keys.
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
    if name in CONFIGURATIONS:
        raise InputError(f"{where} is registered already, of type {CONFIGURATIONS[name]['vecenv_type']}")
    # An environment on players is a task, made by the creator.
    kind, creator = configuration["vecenv_type"], configuration["env_creator"]
    if kind == PLAYER:
        register_task(name, partial(creator, **defaults) if defaults else creator)
    CONFIGURATIONS[name] = EnvConfiguration(vecenv_type=kind, env_creator=creator, default_env_config=defaults)


def task_id(env_id: str) -> str | None:
    """Return the full id of a task given with or without its namespace; None when no task has this name."""
    return TASKS.canonical(env_id)


def make_task(env_id: str, **options: Any) -> Task:
    """Make the task registered with this id.

    Args:
        env_id: with or without namespace.
        options: keyword arguments of its class.

    Raises:
        UnknownNameError: no task has this id, or its class has no such option.
        InputError: the task does not take these options.
    """
    make = TASKS.find(env_id)
    full_id = TASKS.canonical(env_id) or env_id
    try:
        task: Task = make(**options)
    except TypeError as error:
        # Distinguish an unknown option from a value that the class refuses.
        known = list(inspect.signature(make).parameters)
        unknown = [name for name in options if name not in (*known, *SECTIONS)]
        if unknown:
            raise UnknownNameError(f"option of {full_id}", unknown[0], known, "environment.env_config") from None
        raise unsuitable_options(full_id, options, error) from None
    return task


def unsuitable_options(env_id: str, options: dict[str, Any], error: Exception) -> InputError:
    """Return the error for keyword arguments that an environment or task refuses, naming where they are set."""
    section = next((name for name in SECTIONS if name in options and f"'{name}'" in str(error)), None)
    if section is not None:
        return InputError(f"{section}: {env_id} has none to choose: its class takes no argument `{section}`")
    return InputError(f"environment.env_config: {env_id} does not take {options} ({error})")


def faulty_environment(config: Config, fault: str) -> InputError:
    """Return the error for an environment that no agent can learn in, with the command that checks it as a whole."""
    modules = f" 'modules=[{','.join(config.modules)}]'" if config.modules else ""
    env_id = config.environment.id
    return InputError(f"environment.id: {env_id}: {fault}; rl-pipeline check {env_id}{modules} checks all of it")


def check_environment_id(env_id: str) -> str:
    """Return the full id of a task, or the id of an environment with a type or of Gymnasium.

    Like Gymnasium's, an id may begin with a module that registers it when it is imported, as `module:id`.

    Raises:
        InputError: there is no such environment, or the module cannot be imported.
    """
    # Names of this package first.
    module, _, env_id = env_id.rpartition(":")
    if module:
        import_user_module(module, "environment.id")
    if (full_id := task_id(env_id)) is not None:
        return full_id
    if env_id in CONFIGURATIONS:
        return env_id
    # Gymnasium's, Atari games included.
    if env_id not in gymnasium.registry:
        register_atari_games(env_id)
    try:
        gymnasium.spec(env_id)
    except gymnasium.error.Error as error:
        if not isinstance(error, gymnasium.error.NameNotFound | gymnasium.error.NamespaceNotFound):
            raise InputError(f"environment.id: {env_id}: {error}") from None
        if (provider := suggest_provider(env_id)) is not None:
            raise InputError(f"environment.id: unknown environment {env_id!r}; {provider}") from None
        tasks = (name.partition("/")[2] for name in TASKS)
        valid = {*gymnasium.registry, *tasks, *CONFIGURATIONS}
        raise UnknownNameError("environment", env_id, valid, "environment.id") from None
    return env_id
