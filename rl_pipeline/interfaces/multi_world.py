"""Batched services: one call for all worlds that a player simulates.

A service `Drive` may have a batched service `DriveBatch`. It has the same fields, except that the fields of single
worlds are sequences with an element for each world: every field of the request except `request_sent` and `render`, and
the `state` of the response. A batched reset has `bool[] reset` in addition, true for the worlds whose episode begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.interfaces.batch import Elements
from rl_pipeline.interfaces.definitions import Service, load_interfaces

SHARED_FIELDS: Final = ("request_sent", "render")
"""Fields of a request that all worlds share."""

RESET: Final = "reset"
"""Field of a batched reset's request that is true for the worlds that begin an episode."""


def batched_service(name: str) -> Service:
    """Return the batched service of a plain one.

    Raises:
        InputError: it is not defined, or its fields do not match the plain one.
    """
    # Found by its name.
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
    """Return the lengths of the sequences of a batched request for `worlds` worlds."""
    fields = plain.request.layout().dtype.names or ()
    lengths = {name: worlds for name in fields if name not in SHARED_FIELDS}
    return {**lengths, RESET: worlds} if reset else lengths


def response_lengths(lengths: Mapping[str, int], worlds: int) -> dict[str, int]:
    """Return the lengths of the sequences of a batched response, from those of the plain one."""
    of_worlds = {"state": worlds}
    for path, length in lengths.items():
        if path.startswith("state."):
            of_worlds |= {f"state[{world}].{path.removeprefix('state.')}": length for world in range(worlds)}
        else:
            of_worlds[path] = length
    return of_worlds


def _check(plain: Service, batched: Service) -> None:
    """Check that fields of single worlds are sequences of the same type. Raises `InputError`."""
    fields = [name for name in plain.request.layout().dtype.names or () if name not in SHARED_FIELDS]
    lengths, single = batched.request.layout().lengths, plain.request.layout().lengths
    for field in fields:
        if field not in lengths or field in single:
            raise InputError(f"{batched.name}: expected a sequence {field!r} in its request, with an element a world")
    # The elements of `state` must have the dtype of the plain state.
    one = {"state": 1} if "state" in batched.response.layout().lengths else {}
    state, states = plain.response.layout().empty(1)["state"], batched.response.layout(one).empty(1)["state"]
    if not isinstance(states, Elements) or states[0].array.dtype != state.array.dtype:
        raise InputError(f"{batched.name}: expected a sequence 'state' in its response, of what {plain.name} has")
