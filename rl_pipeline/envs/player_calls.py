"""One service of all players as N environments see it, however many of them one player simulates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.task import Fields
from rl_pipeline.interfaces import Batch, CodecError, load_interfaces
from rl_pipeline.interfaces.multi_world import RESET, batched_service, request_lengths
from rl_pipeline.interfaces.optional_fields import has_field
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.transport.response_rows import ResponseCallback
from rl_pipeline.transport.timing import ResponseTimes, Stamps

Environments = NDArray[np.intp] | slice
"""Indices of environments."""


class Answers(NamedTuple):
    """Responses of one layout.

    Attributes:
        environments: who was asked and has answered.
        states: their states, a row each.
        filmed: the environment that the image of each response shows, shape (responses,), or a slice.
        responses: a row a player.
    """

    environments: Environments
    states: Batch
    filmed: Environments
    responses: Batch


class PlayerService:
    """A service, `reset` or `step`, of N players of one world each: environment i is player i.

    Args:
        simulation: where the players are.
        players: their environment ids.
        kind: `reset` or `step`.
        type_name: the service's type.
        on_response: called with each response as soon as it is complete.
    """

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
        self._batch = simulation.backend.calls(service, names, on_response=on_response)
        self._render = _render_field(self._batch.request)
        self.type_name = type_name

    @property
    def names(self) -> list[str]:
        """Names of the players' services."""
        return self._batch.names

    def write(self, fields: Fields) -> None:
        """Fill fields of the requests by dotted path, each with an array of leading axis N or a scalar."""
        request = self._batch.request
        for name, value in fields.items():
            request[name] = value

    def film(self, wanted: NDArray[np.bool_]) -> None:
        """Ask for an image of those environments, shape (N,) bool, with each response from now on."""
        self._render[...] = wanted

    def send(self, environments: NDArray[np.intp] | None = None) -> None:
        """Send the requests of the given environments; None: of all."""
        self._batch.send(environments)

    def receive(self, timeout: float) -> list[int]:
        """Wait for the responses, at most `timeout` seconds; returns the indices of the players that are late."""
        return self._batch.receive(timeout)

    @property
    def refused(self) -> dict[int, CodecError]:
        """Players whose last response could not be read, by index, and why."""
        return self._batch.refused

    def response_times(self) -> ResponseTimes:
        """How long the players took to answer the last requests."""
        return self._batch.response_times()

    def stamps(self) -> Stamps:
        """When the last requests and responses were sent and received."""
        return self._batch.stamps()

    def answers(self) -> Iterable[Answers]:
        """What arrived since `send`."""
        return [Answers(players, responses.state, players, responses) for players, responses in self._batch.responses()]


class WorldsService(PlayerService):
    """The batched service, `reset_batch` or `step_batch`, of players of M worlds each.

    Environment i is world i % M of player i // M. An image shows the first world of a player. A reset goes to the
    players that have a world to reset; their other worlds stand still.

    Args:
        simulation: where the players are.
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
        self._batch = simulation.backend.calls(service, names, lengths)
        self._render = _render_field(self._batch.request)
        self.type_name = service.name
        self._worlds = worlds
        self._indices: NDArray[np.intp] = np.arange(len(players) * worlds).reshape(-1, worlds)
        self._asked: NDArray[np.bool_] = np.ones(self._indices.shape, np.bool_)
        self._reset: NDArray[np.bool_] | None = self._batch.request[RESET] if kind == "reset" else None

    def write(self, fields: Fields) -> None:
        """As in PlayerService: by the dotted path of the plain service."""
        request, shape = self._batch.request, self._indices.shape
        for name, value in fields.items():
            array = np.asarray(value)
            request[name] = array.reshape(shape + array.shape[1:]) if array.ndim else value

    def film(self, wanted: NDArray[np.bool_]) -> None:
        """Ask for an image of those environments, shape (N,) bool, that are the first of their player."""
        self._render[...] = wanted[:: self._worlds]

    def send(self, environments: NDArray[np.intp] | None = None) -> None:
        """Send requests for the given environments, one to each of their players; None: for all."""
        if environments is None:
            self._asked[:] = True
            self._batch.send()
            return
        self._asked[:] = False
        self._asked.reshape(-1)[environments] = True
        if self._reset is not None:
            self._reset[:] = self._asked
        self._batch.send(np.flatnonzero(self._asked.any(axis=1)))

    def answers(self) -> Iterable[Answers]:
        """What arrived since `send` for the environments that were asked."""
        for players, responses in self._batch.responses():
            indices, asked = self._indices[players], self._asked[players]
            states = responses.state.rows()
            if asked.all():
                yield Answers(indices.reshape(-1), states, indices[:, 0], responses)
            else:
                yield Answers(indices[asked], states.take(asked.reshape(-1)), indices[:, 0], responses)


def _render_field(request: Batch) -> NDArray[Any]:
    """The flags that ask for frames, one a player; without such a field an array that is not sent."""
    if has_field(request.struct, "render"):
        flags: NDArray[Any] = request["render"]
        return flags
    return np.zeros(len(request), np.bool_)


def player_service(
    simulation: Simulation,
    players: Sequence[int],
    kind: str,
    type_name: str,
    worlds: int,
    on_response: ResponseCallback | None = None,
) -> PlayerService:
    """The service of players of so many worlds each."""
    if worlds == 1:
        return PlayerService(simulation, players, kind, type_name, on_response)
    return WorldsService(simulation, players, kind, type_name, worlds)
