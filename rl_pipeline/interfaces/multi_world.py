"""Batched services: one call for all worlds that a player simulates.

Beside a service `Drive` there may be a `DriveBatch`. It has the same fields, except that what each world has of its own
is a sequence with an element a world: every field of the request but `request_sent` and `render`, and the `state` of
the response. A batched reset has `bool[] reset` besides, which says whose episode begins anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.interfaces.batch import Elements
from rl_pipeline.interfaces.definitions import Service, load_interfaces

SHARED_FIELDS: Final = ("request_sent", "render")
"""Fields of a request that are one for all worlds."""

RESET: Final = "reset"
"""The field of a batched reset's request that says which worlds begin a new episode."""


def batched_service(name: str) -> Service:
    """The batched service of a plain one.

    Raises:
        InputError: it is not defined, or not as the plain one says.
    """
    interfaces = load_interfaces()
    plain = interfaces.service(name)
    try:
        batched = interfaces.service(f"{plain.name}Batch")
    except UnknownNameError:
        raise InputError(
            f"simulation.worlds_per_player: several worlds a player need the service {plain.name}Batch, which is not "
            f"defined; define it beside {plain.name}, or set worlds_per_player to 1"
        ) from None
    _check(plain, batched)
    return batched


def request_lengths(plain: Service, worlds: int, *, reset: bool) -> dict[str, int]:
    """Elements of the sequences of a batched request for so many worlds."""
    fields = plain.request.layout().dtype.names or ()
    lengths = {name: worlds for name in fields if name not in SHARED_FIELDS}
    return {**lengths, RESET: worlds} if reset else lengths


def response_lengths(lengths: Mapping[str, int], worlds: int) -> dict[str, int]:
    """Elements of the sequences of a batched response, from those of the plain one."""
    of_worlds = {"state": worlds}
    for path, length in lengths.items():
        if path.startswith("state."):
            of_worlds |= {f"state[{world}].{path.removeprefix('state.')}": length for world in range(worlds)}
        else:
            of_worlds[path] = length
    return of_worlds


def _check(plain: Service, batched: Service) -> None:
    fields = [name for name in plain.request.layout().dtype.names or () if name not in SHARED_FIELDS]
    lengths, single = batched.request.layout().lengths, plain.request.layout().lengths
    for field in fields:
        if field not in lengths or field in single:
            raise InputError(f"{batched.name}: expected a sequence {field!r} in its request, with an element a world")
    one = {"state": 1} if "state" in batched.response.layout().lengths else {}
    state, states = plain.response.layout().empty(1)["state"], batched.response.layout(one).empty(1)["state"]
    if not isinstance(states, Elements) or states[0].array.dtype != state.array.dtype:
        raise InputError(f"{batched.name}: expected a sequence 'state' in its response, of what {plain.name} has")
