"""Check of a task's services against its contract, from their definitions alone.

A response needs `state`, of one type in both services; a request needs the fields that the task writes. All other
fields that environments use are optional, see interfaces/optional_fields.py.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.observation_check import check_spaces
from rl_pipeline.envs.task import Fields, Task
from rl_pipeline.errors import InputError, UnknownNameError, suggestion
from rl_pipeline.interfaces import CodecError, Service, load_interfaces
from rl_pipeline.interfaces.optional_fields import IMAGE, TIME, has_field, has_stamps
from rl_pipeline.interfaces.types import Struct, field_paths


def check_task(task: Task) -> None:
    """Check a task's spaces, and the definitions of its services; to be called before a player is started.

    Raises:
        InputError: a space is of a kind that is not supported, or a field is missing or of another type; the message
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
    if task.image is not None:
        problems += [
            f"{service.source}: expected `{IMAGE} image` in the response, because {name} observes images"
            for service in (reset, step)
            if not has_field(service.response.struct, "image")
        ]
    if problems:
        raise InputError("\n".join(problems))


def missing_abilities(task: Task) -> dict[str, str]:
    """Find the abilities that a task's services lack because optional fields are absent.

    Returns:
        A sentence each, by ability: `seeds`, `frames`, `stamps`, `simulated_time`.
    """
    reset, step = _services(task)
    missing = {}
    if not has_field(reset.request.struct, "seed"):
        missing["seeds"] = f"episodes are not repeatable: {_absent(reset, 'request', 'uint32 seed')}"
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
    """Return whether players of a task have to draw, given whether frames for people are wanted."""
    return task.image is not None or (frames and "frames" not in missing_abilities(task))


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
    if len(set(types)) > 1:
        yield f"{step.source}: expected `state` to be a {types[0]}, as in {reset.source}, found {types[1]}"


def _writing_problems(service: Service, fields: Fields, method: str) -> Iterator[str]:
    """Write the fields that a task gives into a request, as environments do at each call."""
    request = service.request.layout().empty(1)
    for name, value in fields.items():
        try:
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
