"""Check of what a task observes against its observation space, at the beginning of episodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from rl_pipeline.envs.task import Task
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Batch, Elements
from rl_pipeline.interfaces.field_types import Sequence, Struct
from rl_pipeline.tracebacks import describe_failure


def observe_first(task: Task, state: Batch) -> NDArray[Any]:
    """Return the observations of states at the beginning of episodes, shape (N, *observation shape).

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
    if observation.shape[1:] != task.observation_space.shape:
        empty = _describe_empty(state)
        raise InputError(
            f"environment.env_config: {name} makes observations of shape {observation.shape[1:]} of what its players "
            f"send, but declares {task.observation_space.shape}{f'; {empty}' if empty else ''}"
        )
    return observation


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
