"""Check of a task's spaces, and of what it observes at the beginning of episodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from gymnasium import spaces

from rl_pipeline.envs.observations import ARRAY_SPACES, Observations
from rl_pipeline.envs.task import Task
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Batch, Elements
from rl_pipeline.interfaces.types import Sequence, Struct
from rl_pipeline.tracebacks import describe_failure

Shape: TypeAlias = "tuple[int, ...] | dict[str, tuple[int, ...] | None] | None"
"""Shape of an array observation, or the shapes of a Dict observation by key."""


def check_spaces(task: Task) -> None:
    """Raise InputError unless observations are arrays or a flat Dict of arrays, and actions are arrays."""
    name = type(task).__name__
    kinds = ", ".join(kind.__name__ for kind in ARRAY_SPACES)
    space = task.observation_space
    parts = space.spaces if isinstance(space, spaces.Dict) else {"": space}
    for key, part in parts.items():
        if not isinstance(part, ARRAY_SPACES):
            where = f"{name}.observation_space" + (f"[{key!r}]" if key else "")
            raise InputError(f"{where}: expected one of {kinds}, or a Dict of these, found {part}")
    if not isinstance(task.action_space, ARRAY_SPACES):
        raise InputError(f"{name}.action_space: expected one of {kinds}, found {task.action_space}")


def observe_first(task: Task, state: Batch) -> Observations:
    """Return the observations of states at the beginning of episodes.

    Raises:
        InputError: they are not of the shape of the observation space; the message names the state's empty sequences,
            as a build sends them whose sensors are not ready yet.
    """
    name = type(task).__name__
    try:
        observation = task.observation(state)
    except (ValueError, IndexError) as error:
        if not (empty := _describe_empty(state)):
            raise
        raise InputError(f"{name}.observation fails with {describe_failure(error)}; {empty}") from error
    expected, found = space_shape(task.observation_space), shape_of(observation)
    if found != expected:
        empty = _describe_empty(state)
        raise InputError(
            f"environment.env_config: {name} makes observations of shape {found} of what its players send, but "
            f"declares {expected}{f'; {empty}' if empty else ''}"
        )
    return observation


def space_shape(space: spaces.Space[Any]) -> Shape:
    """Return the shape of one observation of a space."""
    return {key: part.shape for key, part in space.spaces.items()} if isinstance(space, spaces.Dict) else space.shape


def shape_of(observations: Observations) -> Shape:
    """Return the shape of one of N observations."""
    if isinstance(observations, dict):
        return {key: array.shape[1:] for key, array in observations.items()}
    return observations.shape[1:]


def _describe_empty(state: Batch) -> str:
    paths = [f"`{path}`" for path in _empty_sequences(state)]
    if not paths:
        return ""
    verb = "has" if len(paths) == 1 else "have"
    return f"{', '.join(paths)} of {state.struct.name} {verb} 0 elements in the first state"


def _empty_sequences(state: Batch, prefix: str = "") -> Iterator[str]:
    """Dotted paths of the sequences that have no element."""
    for name, type_ in state.struct.fields.items():
        if isinstance(type_, Struct):
            yield from _empty_sequences(state[name], f"{prefix}{name}.")
        elif isinstance(type_, Sequence):
            value = state[name]
            if not (len(value) if isinstance(value, Elements | tuple) else value.shape[1]):
                yield prefix + name
