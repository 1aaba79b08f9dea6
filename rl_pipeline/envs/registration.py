"""Names of tasks, as Gymnasium environment ids."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import gymnasium
from gymnasium.envs.registration import load_env_creator

from rl_pipeline.envs import env_configurations
from rl_pipeline.envs.atari import register_games
from rl_pipeline.envs.providers import advice
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.plugins import import_user_module

if TYPE_CHECKING:
    from rl_pipeline.config.schema import Config
    from rl_pipeline.envs.task import Task

NAMESPACE: Final = "rl_pipeline"
SECTIONS: Final = ("robot", "expert")
"""Sections of the configuration that are keyword arguments of environments, beside those of environment.env_config."""

_TASKS: Final[dict[str, str | Callable[..., Task]]] = {}


def register_task(name: str, task: str | Callable[..., Task]) -> None:
    """Make a task known as `rl_pipeline/<name>`, to this package and to `gymnasium.make`.

    Args:
        name: such as `Navigation-v0`.
        task: its class or another callable that makes it, or where that is, as `module:Class`; imported when it is
            first used.

    Raises:
        ValueError: the name is taken by another task.
    """
    env_id = f"{NAMESPACE}/{name}"
    if _TASKS.setdefault(env_id, task) != task:
        raise ValueError(f"{env_id} is already registered, as {_TASKS[env_id]}")
    if env_id not in gymnasium.registry:
        gymnasium.register(
            env_id,
            "rl_pipeline.envs.player_env:PlayerEnv",
            kwargs={"task": env_id},
            disable_env_checker=True,
            order_enforce=False,
        )


def task_id(env_id: str) -> str | None:
    """The full id of a task given with or without its namespace; None when no task has this name."""
    return next((full for full in (env_id, f"{NAMESPACE}/{env_id}") if full in _TASKS), None)


def make_task(env_id: str, **options: Any) -> Task:
    """The task registered with this id, made with these keyword arguments.

    Raises:
        UnknownNameError: no task has this id.
        InputError: the task does not take these options.
    """
    full_id = task_id(env_id)
    if full_id is None:
        raise UnknownNameError("task", env_id, _TASKS, "environment.id")
    task_class = _TASKS[full_id]
    if isinstance(task_class, str):
        module, _, name = task_class.partition(":")
        task_class = getattr(importlib.import_module(module), name)
    try:
        return task_class(**options)
    except TypeError as error:
        known = list(inspect.signature(task_class).parameters)
        unknown = [name for name in options if name not in (*known, *SECTIONS)]
        if unknown:
            raise UnknownNameError(f"option of {full_id}", unknown[0], known, "environment.env_config") from None
        raise unsuitable_options(full_id, options, error) from None


def unsuitable_options(env_id: str, options: dict[str, Any], error: Exception) -> InputError:
    """The error for keyword arguments that the class of an environment or task refuses, by where they are set."""
    section = next((name for name in SECTIONS if name in options and f"'{name}'" in str(error)), None)
    if section is not None:
        return InputError(f"{section}: {env_id} has none to choose: its class takes no argument `{section}`")
    return InputError(f"environment.env_config: {env_id} does not take {options} ({error})")


def faulty_environment(config: Config, fault: str) -> InputError:
    """The error for an environment that nothing can learn in, with the command that checks it as a whole."""
    modules = f" 'modules=[{','.join(config.modules)}]'" if config.modules else ""
    env_id = config.environment.id
    return InputError(f"environment.id: {env_id}: {fault}; rl-pipeline check {env_id}{modules} checks all of it")


def check_environment_id(env_id: str) -> str:
    """The full id of a task, or that of an environment in `env_configurations` or of Gymnasium.

    Like Gymnasium's, an id may begin with a module that registers it when it is imported, as `module:id`.

    Raises:
        InputError: there is neither, or the module cannot be imported.
    """
    module, _, env_id = env_id.rpartition(":")
    if module:
        import_user_module(module, "environment.id")
    if (full_id := task_id(env_id)) is not None:
        return full_id
    if env_id in env_configurations.configurations:
        return env_id
    if env_id not in gymnasium.registry:
        register_games(env_id)
    try:
        gymnasium.spec(env_id)
    except gymnasium.error.Error as error:
        if isinstance(error, gymnasium.error.NameNotFound | gymnasium.error.NamespaceNotFound):
            if (way := advice(env_id)) is not None:
                raise InputError(f"environment.id: unknown environment {env_id!r}; {way}") from None
            tasks = (name.partition("/")[2] for name in _TASKS)
            valid = {*gymnasium.registry, *tasks, *env_configurations.configurations}
            raise UnknownNameError("environment", env_id, valid, "environment.id") from None
        raise InputError(f"environment.id: {env_id}: {error}") from None
    return env_id


def drawing(env_id: str, render_mode: str | None) -> dict[str, Any]:
    """The argument `render_mode` for an environment of Gymnasium; none where its class, a simple one, takes none."""
    entry_point = gymnasium.spec(env_id).entry_point
    if render_mode is None or entry_point is None:
        return {}
    creator = load_env_creator(entry_point) if isinstance(entry_point, str) else entry_point
    taken = inspect.signature(creator).parameters.values()
    if any(each.name == "render_mode" or each.kind is inspect.Parameter.VAR_KEYWORD for each in taken):
        return {"render_mode": render_mode}
    return {}


def register_tasks() -> None:
    """Register the tasks of this package; safe to call twice."""
    register_task("Navigation-v0", "rl_pipeline.tasks.navigation:NavigationTask")
    register_task("Duel-v0", "rl_pipeline.tasks.duel:DuelTask")
