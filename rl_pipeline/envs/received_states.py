"""States, images and times received from the players, and the players that were lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.images import Camera, Frames
from rl_pipeline.envs.player_calls import Indices, PlayerCalls
from rl_pipeline.interfaces import Batch, CodecError
from rl_pipeline.interfaces.images import encode_image
from rl_pipeline.interfaces.optional_fields import has_field
from rl_pipeline.plurals import plural
from rl_pipeline.simulation.simulation import PlayerError

logger = logging.getLogger(__name__)

MAX_HISTORY: Final = 10
MAX_HISTORY_BYTES: Final = 2**20
"""Bytes that states may take for the sake of the history: large ones (images) are kept only as long as steps need."""

LAST_ACTIONS: Final = "last_actions"
"""Attribute of states with the actions that led to them; a field of that name in the message takes precedence."""

NONE_LOST: Final[Mapping[int, str]] = MappingProxyType({})


def attach_last_actions(states: Batch, actions: NDArray[Any]) -> None:
    """Make actions of leading axis N the attribute `last_actions` of N states, unless their message has that field."""
    if LAST_ACTIONS not in states.struct.fields:
        states.attach(LAST_ACTIONS, actions)


class StateHistory:
    """The states of the last steps, each step in memory of its own, reused in turn: nothing is copied to keep them.

    The actions that led to the states are their attribute `last_actions`: zeros at the beginning of an episode.

    Args:
        first: the states reached by the first reset; they are the current ones, and their memory is taken over.
        action_shape: of one action.
        action_dtype: of actions.

    Attributes:
        current: the states reached last.
        previous: those of the step before.
    """

    def __init__(self, first: Batch, action_shape: tuple[int, ...], action_dtype: np.dtype[Any]) -> None:
        length = int(np.clip(MAX_HISTORY_BYTES // max(first.array.nbytes, 1), 2, MAX_HISTORY))
        self._batches = [first, *(first.copy() for _ in range(length - 1))]
        self._actions = [np.zeros((len(first), *action_shape), action_dtype) for _ in self._batches]
        for batch, actions in zip(self._batches, self._actions, strict=True):
            attach_last_actions(batch, actions)
        self._position = 0
        self.current = self.previous = first

    def advance(self, actions: NDArray[Any]) -> None:
        """Begin a step: the current states become the previous ones, and `current` is free to be written."""
        self._position = (self._position + 1) % len(self._batches)
        self.previous, self.current = self.current, self._batches[self._position]
        self._actions[self._position][...] = actions

    def begin(self, environments: NDArray[np.intp]) -> None:
        """Begin episodes: no action has led to the current states of these environments, shape (K,)."""
        self._actions[self._position][environments] = 0

    def last(self, index: int, steps: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the last states and actions of one environment, oldest first.

        Args:
            index: the environment.
            steps: steps to go back, at most; no more than were taken.

        Returns:
            A structured array of K + 1 states, and the K actions between them, shape (K, *action shape).
        """
        steps = min(steps, len(self._batches) - 1)
        positions = [self._position - back for back in range(steps, -1, -1)]
        # Negative positions count from the end: the history is a ring.
        return (
            np.array([self._batches[position].array[index] for position in positions], self.current.array.dtype),
            np.array([self._actions[position][index] for position in positions[1:]]),
        )


class Received(NamedTuple):
    """Result of one round of requests.

    Attributes:
        states: the current states of all N environments; those of lost players are not valid. None: no player has sent
            any state yet.
        lost: the reason by environment id of each player that was lost. An empty reason stands for silence; the
            simulation then finds how its process ended.
    """

    states: Batch | None
    lost: Mapping[int, str]


class ReceivedStates:
    """Receiver of the responses of all players into the arrays of their N environments.

    Args:
        players: environment ids of the players, in the order of their environments.
        worlds: environments per player.
        timeout: seconds that a player may take to answer.
        camera: takes the images that are observed, if any are.
        frames: keeps the frames that are only looked at, if any are.
        action: shape and dtype of one action.
        period: simulated seconds of a step, counted where responses have no `simulated_time`.
        hint: possible cause of a player's failure to answer at all, for messages; empty: none is known.

    Attributes:
        history: the states, present and past; None before the first have come.
        simulated_time: (N,) float64, seconds since each player started, as of its last response; None, and not read
            then, unless an array is put here.
    """

    def __init__(
        self,
        players: Sequence[int],
        worlds: int,
        timeout: float,
        camera: Camera | None,
        frames: Frames | None,
        *,
        action: tuple[tuple[int, ...], np.dtype[Any]],
        period: float,
        hint: str = "",
    ) -> None:
        # Settings.
        self._players = players
        self._worlds = worlds
        self._timeout = timeout
        self._camera = camera
        self._frames = frames
        self._action = action
        self._period = period
        self._hint = hint
        # Results; the history needs the first states to know their type.
        self._all: NDArray[np.intp] = np.arange(len(players) * worlds)
        self.history: StateHistory | None = None
        self.simulated_time: NDArray[np.float64] | None = None

    def receive(self, service: PlayerCalls, asked: NDArray[np.intp]) -> Received:
        """Wait for the responses to the last request, and take them into the current states.

        Args:
            service: whose request was sent.
            asked: the environments that were asked, shape (K,).

        Raises:
            PlayerError: no player has sent a readable response yet, and this one is not readable either.
        """
        late = service.calls.receive(self._timeout)
        answered: list[Indices] = []
        count = 0
        unreadable: dict[int, CodecError] = {}
        for environments, states, filmed, responses in service.responses():
            # States and observed images; a response that does not fit them costs its players.
            try:
                if self._camera is not None:
                    self._camera.take(environments, responses)
                if self.history is None:
                    self.history = StateHistory(_repeat_first(states, len(self._all)), *self._action)
                self.history.current.assign(environments, states)
            except CodecError as error:
                unreadable |= dict.fromkeys((self._all[environments] // self._worlds).tolist(), error)
                continue
            answered.append(environments)
            count += len(states)
            # Optional fields.
            if self.simulated_time is not None:
                self._take_time(self.simulated_time, environments, filmed, responses)
            if self._frames is not None:
                self._frames.take(filmed, responses)
        current = self.history.current if self.history is not None else None
        if self._camera is not None and current is not None:
            current.attach("image", self._camera.images)
        if count == len(asked):
            return Received(current, NONE_LOST)
        silent = np.setdiff1d(asked, np.concatenate([self._all[:0], *(self._all[each] for each in answered)]))
        return Received(current, self._find_lost(service, silent, late, unreadable | service.calls.refused))

    def image(self, index: int) -> tuple[str, bytes] | None:
        """Return format and bytes of the image that came with an environment's last response; None: none came."""
        if self._camera is not None:
            return "jpeg", encode_image(self._camera.image(index))
        return self._frames.encoded(index) if self._frames is not None else None

    def frame(self, index: int) -> NDArray[np.uint8] | None:
        """Return the frame that came with an environment's last response, (height, width, 3); None: none came."""
        if self._camera is not None:
            return self._camera.image(index)
        return self._frames.image(index) if self._frames is not None else None

    def _take_time(self, times: NDArray[np.float64], environments: Indices, filmed: Indices, responses: Batch) -> None:
        """Take the simulated time of players, or count a control period for each response where they send none."""
        if not has_field(responses.struct, "simulated_time"):
            times[environments] += self._period
            return
        of_player = np.zeros(len(self._players))
        of_player[self._all[filmed] // self._worlds] = responses["simulated_time"]
        times[environments] = of_player[self._all[environments] // self._worlds]

    def _find_lost(
        self, service: PlayerCalls, silent: NDArray[np.intp], late: Sequence[int], unreadable: Mapping[int, CodecError]
    ) -> dict[int, str]:
        """Find the players of environments that have not answered, with the reason.

        Args:
            service: the service that was called.
            silent: the environments, shape (K,).
            late: indices of the players that did not answer in time.
            unreadable: errors of the responses that cannot be read, by index of the player.

        Returns:
            Reasons by environment id.

        Raises:
            PlayerError: a response is the first that came, and cannot be read: a restart will not help.
        """
        if unreadable and self.history is None:
            index, error = next(iter(unreadable.items()))
            raise PlayerError(
                f"player {self._players[index]} {_unreadable(error)}; was it built with other interfaces?"
            )
        reasons = {index: _unreadable(error) for index, error in unreadable.items()}
        if late:
            reasons |= self._late_reasons(service, late)
        # Players that are neither late nor unreadable are gone: their connection is closed.
        indices: list[int] = np.unique(silent // self._worlds).tolist()
        return {self._players[index]: reasons.get(index, "") for index in indices}

    def _late_reasons(self, service: PlayerCalls, late: Sequence[int]) -> dict[int, str]:
        """Log the players that did not answer in time; for those that never have, give the possible cause."""
        ids = ", ".join(str(self._players[index]) for index in late)
        silent = np.isnan(service.calls.response_times().mean)
        never = [index for index in late if silent[index]] if self._hint else []
        logger.warning(
            "%s %s did not answer within %g s (unity.step_timeout)%s",
            plural(len(late), "player"),
            ids,
            self._timeout,
            f"; {self._hint}" if never else "",
        )
        return {index: f"does not answer ({self._hint})" if index in never else "" for index in late}


def _unreadable(error: CodecError) -> str:
    return f"sent a response that cannot be read: {error}"


def _repeat_first(states: Batch, count: int) -> Batch:
    """Make a batch of `count` copies of the first state: memory for that many."""
    return states.take(np.zeros(count, np.intp))
