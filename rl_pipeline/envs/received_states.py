"""What has arrived from the players: states, images, times, and what was wrong with the rest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.images import Camera, Frames
from rl_pipeline.envs.player_calls import Environments, PlayerService
from rl_pipeline.interfaces import Batch, CodecError
from rl_pipeline.interfaces.images import encode_image
from rl_pipeline.interfaces.optional_fields import has_field
from rl_pipeline.simulation.simulation import PlayerError

LENGTH: Final = 10
BUDGET: Final = 2**20
"""Bytes that states may take for the sake of the history: large ones (images) are kept only as long as steps need."""


LAST_ACTIONS: Final = "last_actions"
"""Attribute of states with the actions that led to them; a field of that name in the message takes precedence."""


def attach_last_actions(states: Batch, actions: NDArray[Any]) -> None:
    """Make actions of leading axis N the attribute `last_actions` of N states, unless their message has that field."""
    if LAST_ACTIONS not in states.struct.fields:
        states.attach(LAST_ACTIONS, actions)


class StateHistory:
    """The states of each step in memory of their own, written over in turn: nothing is copied to keep them.

    The actions that led to the states lie beside them, as their attribute `last_actions`: zeros at the beginning of an
    episode.

    Args:
        first: the states reached by the first reset; they are the current ones, and their memory is taken over.
        action_shape: of one action.
        action_dtype: of actions.

    Attributes:
        current: the states reached last.
        previous: those of the step before.
    """

    def __init__(self, first: Batch, action_shape: tuple[int, ...], action_dtype: np.dtype[Any]) -> None:
        length = int(np.clip(BUDGET // max(first.array.nbytes, 1), 2, LENGTH))
        self._batches = [first, *(first.copy() for _ in range(length - 1))]
        self._actions = [np.zeros((len(first), *action_shape), action_dtype) for _ in self._batches]
        for batch, actions in zip(self._batches, self._actions, strict=True):
            attach_last_actions(batch, actions)
        self._position = 0
        self.current = self.previous = first

    def advance(self, actions: NDArray[Any]) -> None:
        """Begin a step: what is current becomes the previous, and `current` is there to be written."""
        self._position = (self._position + 1) % len(self._batches)
        self.previous, self.current = self.current, self._batches[self._position]
        self._actions[self._position][...] = actions

    def begin(self, environments: NDArray[np.intp]) -> None:
        """Begin episodes: no action has led to the current states of these environments, shape (K,)."""
        self._actions[self._position][environments] = 0

    def last(self, index: int, steps: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """The last states and actions of one environment, oldest first.

        Args:
            index: which environment.
            steps: how many steps to go back, at most; no more than were taken.

        Returns:
            A structured array of K + 1 states, and the K actions between them, shape (K, *action shape).
        """
        steps = min(steps, len(self._batches) - 1)
        positions = [self._position - back for back in range(steps, -1, -1)]
        return (
            np.array([self._batches[position].array[index] for position in positions], self.current.array.dtype),
            np.array([self._actions[position][index] for position in positions[1:]]),
        )


logger = logging.getLogger(__name__)


class Arrivals:
    """Takes what players answer into the arrays of their N environments.

    Args:
        players: environment ids of the players, in the order of their environments.
        worlds: environments a player.
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
        problems: what is wrong with players that have to be replaced, by environment id.
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
        self._players, self._worlds, self._timeout = players, worlds, timeout
        self._action, self._period, self._hint = action, period, hint
        self._camera, self._frames = camera, frames
        self._everyone: NDArray[np.intp] = np.arange(len(players) * worlds)
        self.history: StateHistory | None = None
        self.simulated_time: NDArray[np.float64] | None = None
        self.problems: dict[int, str] = {}

    def receive(self, service: PlayerService, asked: NDArray[np.intp]) -> NDArray[np.intp] | None:
        """Take the answers of the environments asked into the states; returns who did not answer, None: all did.

        Raises:
            PlayerError: nothing readable has come from any player yet, and this is not either.
        """
        late = service.receive(self._timeout)
        if late:
            self._note_late(service, late)
        answered: list[NDArray[np.intp]] = []
        for environments, states, filmed, responses in service.answers():
            try:
                if self._camera is not None:
                    self._camera.take(environments, responses)
                if self.history is None:
                    self.history = StateHistory(_repeat(states, len(self._everyone)), *self._action)
                self.history.current.assign(environments, states)
            except CodecError as error:
                for index in self._everyone[environments].tolist():
                    self._note_unreadable(self._players[index // self._worlds], error)
                continue
            answered.append(self._everyone[environments])
            if self.simulated_time is not None:
                self._take_time(self.simulated_time, environments, filmed, responses)
            if self._frames is not None:
                self._frames.take(filmed, responses)
        if self._camera is not None and self.history is not None:
            self.history.current.attach("image", self._camera.images)
        if sum(map(len, answered)) == len(asked):
            return None
        for index, reason in service.refused.items():
            self._note_unreadable(self._players[index], reason)
        return np.setdiff1d(asked, np.concatenate([*answered, self._everyone[:0]]))

    def _take_time(
        self, times: NDArray[np.float64], environments: Environments, filmed: Environments, responses: Batch
    ) -> None:
        """Take the simulated time of players, or count a control period a response where they send none."""
        if not has_field(responses.struct, "simulated_time"):
            times[environments] += self._period
            return
        of_player = np.zeros(len(self._players))
        of_player[self._everyone[filmed] // self._worlds] = responses["simulated_time"]
        times[environments] = of_player[self._everyone[environments] // self._worlds]

    def _note_late(self, service: PlayerService, late: Sequence[int]) -> None:
        """Log the players that did not answer in time; of those that never have, say what may be the cause."""
        ids = [self._players[index] for index in late]
        silent = np.isnan(service.response_times().mean)
        never = [index for index in late if silent[index]] if self._hint else []
        hint = f"; {self._hint}" if never else ""
        noun = "player" if len(ids) == 1 else "players"
        logger.warning(
            "%s %s did not answer within %g s (unity.step_timeout)%s",
            noun, ", ".join(map(str, ids)), self._timeout, hint,
        )  # fmt: skip
        for index in never:
            self.problems[self._players[index]] = f"does not answer ({self._hint})"

    def _note_unreadable(self, player: int, error: CodecError) -> None:
        """Have a player that sent what cannot be read replaced as lost; when it is the first that came, give up.

        Raises:
            PlayerError: no player has sent anything readable yet, so that a restart will not help.
        """
        problem = f"sent a response that cannot be read: {error}"
        if self.history is None:
            raise PlayerError(f"player {player} {problem}; was it built with other interfaces?")
        self.problems[player] = problem

    def image(self, index: int) -> tuple[str, bytes] | None:
        """Format and bytes of the image that came with the last response for an environment, or None."""
        if self._camera is not None:
            return "jpeg", encode_image(self._camera.image(index))
        return self._frames.encoded(index) if self._frames is not None else None

    def frame(self, index: int) -> NDArray[np.uint8] | None:
        """The frame that came with the last response for an environment, shape (height, width, 3), or None."""
        if self._camera is not None:
            return self._camera.image(index)
        return self._frames.image(index) if self._frames is not None else None


def _repeat(states: Batch, count: int) -> Batch:
    """A batch of `count` copies of the first state: memory for that many."""
    return states.take(np.zeros(count, np.intp))
