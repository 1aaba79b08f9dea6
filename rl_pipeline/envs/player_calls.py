"""One service of all players as N environments see it, for any number of environments per player."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.backends.backend import ServiceCalls
from rl_pipeline.envs.task import Fields
from rl_pipeline.interfaces import Batch, load_interfaces
from rl_pipeline.interfaces.multi_world import RESET, batched_service, request_lengths
from rl_pipeline.interfaces.optional_fields import has_field
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.transport.response_rows import ResponseCallback

Indices = NDArray[np.intp] | slice
"""Indices of environments."""


class Responses(NamedTuple):
    """Responses of one layout.

    Attributes:
        environments: the environments that were asked and have answered.
        states: their states, a row each.
        filmed: the environment that the image of each response shows, shape (responses,), or a slice.
        responses: a row for each player.
    """

    environments: Indices
    states: Batch
    filmed: Indices
    responses: Batch


class PlayerCalls:
    """A service, `reset` or `step`, of N players of one world each: environment i is player i.

    Args:
        simulation: the simulation of the players.
        players: their environment ids.
        kind: `reset` or `step`.
        type_name: the service's type.
        on_response: called with each response as soon as it is complete.

    Attributes:
        calls: the service of the players, by player; its `receive` is called directly.
        type_name: the type that players offer.
    """

    calls: ServiceCalls

    def __init__(
        self,
        simulation: Simulation,
        players: Sequence[int],
        kind: str,
        type_name: str,
        on_response: ResponseCallback | None = None,
    ) -> None:
        names = [simulation.service_name(player, kind) for player in players]
        service = load_interfaces().service(type_name)
        self.calls = simulation.backend.calls(service, names, on_response=on_response)
        self.type_name = type_name
        self._render = _render_flags(self.calls.request)

    def write(self, fields: Fields) -> None:
        """Fill fields of the requests by dotted path, each with an array of leading axis N or a scalar."""
        request = self.calls.request
        for name, value in fields.items():
            request[name] = value

    def film(self, wanted: NDArray[np.bool_]) -> None:
        """Ask for an image of the environments where `wanted`, (N,) bool, with each response from now on."""
        self._render[...] = wanted

    def send(self, environments: NDArray[np.intp] | None = None) -> None:
        """Send the requests of the given environments; None: of all."""
        self.calls.send(environments)

    def responses(self) -> Iterable[Responses]:
        """Return the responses since `send` of the environments that were asked."""
        return [Responses(players, batch.state, players, batch) for players, batch in self.calls.responses()]


class MultiWorldCalls(PlayerCalls):
    """The batched service, `reset_batch` or `step_batch`, of players of M worlds each.

    Environment i is world i % M of player i // M. An image shows the first world of a player. A reset goes to the
    players that have a world to reset; their other worlds stand still.

    Args:
        simulation: the simulation of the players.
        players: their environment ids.
        kind: `reset` or `step`.
        type_name: type of the plain service, that of one world.
        worlds: M.

    Raises:
        InputError: there is no batched service for the plain one.
    """

    def __init__(self, simulation: Simulation, players: Sequence[int], kind: str, type_name: str, worlds: int) -> None:
        names = [simulation.service_name(player, f"{kind}_batch") for player in players]
        service = batched_service(type_name)
        lengths = request_lengths(load_interfaces().service(type_name), worlds, reset=kind == "reset")
        self.calls = simulation.backend.calls(service, names, lengths)
        self.type_name = service.name
        self._render = _render_flags(self.calls.request)
        self._worlds = worlds
        self._indices: NDArray[np.intp] = np.arange(len(players) * worlds).reshape(-1, worlds)
        self._asked: NDArray[np.bool_] = np.ones(self._indices.shape, np.bool_)
        self._reset: NDArray[np.bool_] | None = self.calls.request[RESET] if kind == "reset" else None

    def write(self, fields: Fields) -> None:
        """Fill fields of the requests by the dotted path of the plain service, as in PlayerCalls."""
        request, shape = self.calls.request, self._indices.shape
        for name, value in fields.items():
            array = np.asarray(value)
            request[name] = array.reshape(shape + array.shape[1:]) if array.ndim else value

    def film(self, wanted: NDArray[np.bool_]) -> None:
        """Ask for an image of the environments where `wanted`, (N,) bool, that are the first of their player."""
        self._render[...] = wanted[:: self._worlds]

    def send(self, environments: NDArray[np.intp] | None = None) -> None:
        """Send requests for the given environments, one to each of their players; None: for all."""
        if environments is None:
            self._asked[:] = True
            self.calls.send()
            return
        self._asked[:] = False
        self._asked.reshape(-1)[environments] = True
        if self._reset is not None:
            self._reset[:] = self._asked
        self.calls.send(np.flatnonzero(self._asked.any(axis=1)))

    def responses(self) -> Iterable[Responses]:
        """Yield the responses since `send` of the environments that were asked."""
        for players, batch in self.calls.responses():
            indices, asked = self._indices[players], self._asked[players]
            states = batch.state.rows()
            if asked.all():
                yield Responses(indices.reshape(-1), states, indices[:, 0], batch)
            else:
                yield Responses(indices[asked], states.take(asked.reshape(-1)), indices[:, 0], batch)


def _render_flags(request: Batch) -> NDArray[Any]:
    """Return the flags that ask for frames, one for each player; without such a field an array that is not sent."""
    if has_field(request.struct, "render"):
        flags: NDArray[Any] = request["render"]
        return flags
    return np.zeros(len(request), np.bool_)


def make_player_calls(
    simulation: Simulation,
    players: Sequence[int],
    kind: str,
    type_name: str,
    worlds: int,
    on_response: ResponseCallback | None = None,
) -> PlayerCalls:
    """Make the client of a service of players with `worlds` environments each."""
    if worlds == 1:
        return PlayerCalls(simulation, players, kind, type_name, on_response)
    return MultiWorldCalls(simulation, players, kind, type_name, worlds)
