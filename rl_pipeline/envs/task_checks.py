"""Checks of a task: its spaces, the definitions of its services, and its first observations.

A response needs `state`, of one type in both services; a request needs the fields that the task writes. All other
fields that environments use are optional, see interfaces/optional_fields.py.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.envs.observations import Observations, shape_of, space_shape
from rl_pipeline.envs.spaces import ARRAY_SPACE_NAMES, ARRAY_SPACES
from rl_pipeline.envs.task import Fields, Task
from rl_pipeline.errors import InputError, UnknownNameError, suggestion
from rl_pipeline.interfaces import Batch, CodecError, Elements, Service, load_interfaces
from rl_pipeline.interfaces.optional_fields import IMAGE, TIME, has_field, has_stamps
from rl_pipeline.interfaces.types import Sequence, Struct, field_paths
from rl_pipeline.tracebacks import describe_failure


def check_task(task: Task) -> None:
    """Check a task's spaces and the definitions of its services; call it before a player is started.

    Raises:
        InputError: a space is of a kind that is not supported, or fields are missing or of another type; the message
            names every one with its file. Also for a service that is not defined.
    """
    check_spaces(task)
    reset, step = _services(task)
    name = type(task).__name__
    problems = [
        *_state_problems(reset, step),
        *_writing_problems(reset, task.reset_request(1), f"{name}.reset_request"),
        *_writing_problems(step, task.request(_sample_actions(task)), f"{name}.request"),
    ]
    # A task that observes images needs them in both responses.
    if task.image is not None:
        problems += [
            f"{service.source}: expected `{IMAGE} image` in the response, because {name} observes images"
            for service in (reset, step)
            if not has_field(service.response.struct, "image")
        ]
    if problems:
        raise InputError("\n".join(problems))


def check_spaces(task: Task) -> None:
    """Raise InputError unless observations are arrays or a flat Dict of arrays, and actions are arrays."""
    name = type(task).__name__
    space = task.observation_space
    parts = space.spaces if isinstance(space, spaces.Dict) else {"": space}
    for key, part in parts.items():
        if not isinstance(part, ARRAY_SPACES):
            where = f"{name}.observation_space" + (f"[{key!r}]" if key else "")
            raise InputError(f"{where}: expected one of {ARRAY_SPACE_NAMES}, or a Dict of these, found {part}")
    if not isinstance(task.action_space, ARRAY_SPACES):
        raise InputError(f"{name}.action_space: expected one of {ARRAY_SPACE_NAMES}, found {task.action_space}")


def missing_abilities(task: Task) -> dict[str, str]:
    """Find the abilities that a task's services lack because optional fields are absent.

    Returns:
        A sentence each, by ability: `seeds`, `frames`, `stamps`, `simulated_time`.
    """
    reset, step = _services(task)
    missing = {}
    if not has_field(reset.request.struct, "seed"):
        missing["seeds"] = f"episodes are not repeatable: {_absent(reset, 'request', 'uint32 seed')}"
    # Frames need a field in each direction.
    absent = []
    if not has_field(step.request.struct, "render"):
        absent.append(_absent(step, "request", "bool render"))
    if not has_field(step.response.struct, "image"):
        absent.append(_absent(step, "response", f"{IMAGE} image"))
    if absent:
        missing["frames"] = f"there are no frames for videos: {'; '.join(absent)}"
    if not has_stamps(step.response.struct):
        fields = f"{TIME} request_received", f"{TIME} response_sent"
        missing["stamps"] = f"latencies are unknown: {_absent(step, 'response', *fields)}"
    if not has_field(step.response.struct, "simulated_time"):
        lack = _absent(step, "response", "float64 simulated_time")
        missing["simulated_time"] = f"simulated time is counted in control periods: {lack}"
    return missing


def needs_graphics(task: Task, frames: bool) -> bool:
    """Return True if players of a task have to draw, given whether frames for people are wanted."""
    return task.image is not None or (frames and "frames" not in missing_abilities(task))


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
    # A wrong shape would fail far from here, in the model.
    expected, found = space_shape(task.observation_space), shape_of(observation)
    if found != expected:
        empty = _describe_empty(state)
        raise InputError(
            f"environment.env_config: {name} makes observations of shape {found} from the states of its players, but "
            f"declares {expected}{f'; {empty}' if empty else ''}"
        )
    return observation


def _describe_empty(state: Batch) -> str:
    paths = [f"`{path}`" for path in _empty_sequences(state)]
    if not paths:
        return ""
    verb = "has" if len(paths) == 1 else "have"
    return f"{', '.join(paths)} of {state.struct.name} {verb} 0 elements in the first state"


def _empty_sequences(state: Batch, prefix: str = "") -> Iterator[str]:
    """Yield the dotted paths of the sequences that have no element."""
    for name, type_ in state.struct.fields.items():
        if isinstance(type_, Struct):
            yield from _empty_sequences(state[name], f"{prefix}{name}.")
        elif isinstance(type_, Sequence):
            value = state[name]
            if not (len(value) if isinstance(value, Elements | tuple) else value.shape[1]):
                yield prefix + name


def _services(task: Task) -> tuple[Service, Service]:
    interfaces = load_interfaces()
    return interfaces.service(task.reset_service), interfaces.service(task.step_service)


def _absent(service: Service, half: str, *fields: str) -> str:
    names = " and ".join(f"`{field}`" for field in fields)
    return f"{service.source} has no {names} in its {half}"


def _state_problems(reset: Service, step: Service) -> Iterator[str]:
    """Compare the states of both responses."""
    types = []
    for service in (reset, step):
        fields = service.response.struct.fields
        state = fields.get("state")
        if not isinstance(state, Struct):
            yield (
                f"{service.source}: expected a field `state` in the response, a message such as `MyState state`, "
                f"found {'a plain field of that name' if state is not None else ', '.join(fields)}"
            )
        else:
            types.append(state.name)
    # Both were found, with different types.
    if len(set(types)) > 1:
        yield f"{step.source}: expected `state` to be a {types[0]}, as in {reset.source}, found {types[1]}"


def _writing_problems(service: Service, fields: Fields, method: str) -> Iterator[str]:
    """Write the fields that a task gives into a request, as environments do at each call."""
    request = service.request.layout().empty(1)
    for name, value in fields.items():
        try:
            # A sequence has no room in a request whose lengths are not given.
            if np.size(value) and not np.size(request[name]):
                yield (
                    f"{service.source}: {method} writes {name!r}, a sequence or text, which a request carries empty; "
                    f"expected a field of fixed size, such as `float32[2] {name}`"
                )
            else:
                request[name] = value
        except UnknownNameError:
            nearest = suggestion(name, field_paths(service.request.struct))
            yield f"{service.source}: {method} writes {name!r}, which the request does not have{nearest}"
        except CodecError as error:
            yield f"{service.source}: {method} writes {name!r}, which the request cannot hold ({error})"


def _sample_actions(task: Task) -> NDArray[Any]:
    """Draw the action of one environment, shape (1, *action shape), leaving the space's random numbers as they are."""
    space = copy.deepcopy(task.action_space)
    space.seed(0)
    return np.asarray(space.sample())[np.newaxis]
