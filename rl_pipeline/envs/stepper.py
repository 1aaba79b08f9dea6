"""What all environments on players share: requests to N players out, arrays of N observations and rewards back."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.player_service import Environments, PlayerService, player_service
from rl_pipeline.envs.task import Task
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Batch
from rl_pipeline.simulation.simulation import PlayerError, Simulation

logger = logging.getLogger(__name__)

MAX_CONSECUTIVE_LOSSES: Final = 3
"""A player lost so often without answering in between will not recover."""


@dataclass
class Transition:
    """One step of N environments; of those whose player was lost, the state is the one before.

    Attributes:
        observation: (N, *observation shape), of the state reached.
        reward: (N,) float64; 0 where the player was lost.
        terminated: (N,) bool.
        truncated: (N,) bool: the episode is too long, or its player was lost.
        lost: environments whose player was lost, shape (number of lost,); None: none was, as nearly always.
    """

    observation: NDArray[Any]
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    lost: NDArray[np.intp] | None


class Stepper:
    """Steps and resets N environments on players of one simulation for a task.

    Args:
        task: what is sent to players and what their states mean.
        simulation: where the players are; as many more as it takes are started in it.
        num_envs: N.
        frames: whether frames may be asked of the players (`rendering`).
        horizon: steps after which an episode is truncated; None: the task's own.
        players: environment ids of players that are there already; None: start new ones.
        worlds: environments a player, of which N is a multiple; environment i is world i % worlds of its player.

    Attributes:
        players: environment ids of the N / worlds players.
        rendering: (N,) bool, which environments are asked for a frame with each step and reset; of those that share
            a player only the first can be.
    """

    def __init__(
        self,
        task: Task,
        simulation: Simulation,
        num_envs: int,
        *,
        frames: bool = False,
        horizon: int | None = None,
        players: Sequence[int] | None = None,
        worlds: int = 1,
    ) -> None:
        self.task = task
        self.num_envs = num_envs
        self.rendering: NDArray[np.bool_] = np.zeros(num_envs, np.bool_)
        self._simulation = simulation
        self._horizon = horizon or task.max_episode_steps
        self._timeout = simulation.config.unity.step_timeout
        self._everyone: NDArray[np.intp] = np.arange(num_envs)
        self._nobody: NDArray[np.intp] = np.zeros(0, np.intp)
        self._filming = frames
        self._frames: list[tuple[str, bytes] | None] = [None] * num_envs
        self._elapsed: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self._losses: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self._seeds: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self._cut_off: NDArray[np.bool_] = np.zeros(num_envs, np.bool_)
        self._state: Batch | None = None
        self._previous: Batch | None = None
        self._worlds = worlds
        if players is None:
            count = num_envs // worlds
            players = simulation.start(count, frames=range(count) if frames else (), worlds=worlds)
        self.players = list(players)
        self._reset = player_service(simulation, self.players, "reset", task.reset_service, worlds)
        self._step = player_service(simulation, self.players, "step", task.step_service, worlds)
        self._losing = False
        self._check_types()

    @property
    def state(self) -> Batch:
        """The N states that were reached last."""
        assert self._state is not None, "reset() comes first"
        return self._state

    def reset(self, environments: NDArray[np.intp], seeds: NDArray[np.int64]) -> NDArray[Any]:
        """Begin an episode in each of the given environments, replacing players that are lost on the way.

        Args:
            environments: which, shape (K,).
            seeds: their seeds, shape (K,).

        Returns:
            Observations of all N environments, shape (N, *observation shape).

        Raises:
            PlayerError: a player is lost again and again.
        """
        self._seeds[environments] = seeds
        self._reset.film(self.rendering)
        self._reset.write({"seed": self._seeds % 2**32, **self.task.reset_request(self.num_envs)})
        self._cut_off[environments] = False
        remaining = environments
        while len(remaining):
            self._reset.send(remaining)
            missing = self._receive(self._reset, remaining)
            remaining = missing if missing is not None else remaining[:0]
            self.replace(remaining)
            self._cut_off_others(remaining, environments)
        self._elapsed[environments] = 0
        return self.task.observation(self.state)

    def step(self, actions: NDArray[Any]) -> Transition:
        """Take one step in every environment; lost players are not replaced yet, see `replace`."""
        self._step.film(self.rendering)
        self._step.write(self.task.request(actions))
        self._state, self._previous = self._previous, self._state
        assert self._previous is not None, "reset() comes first"
        if self._state is None:
            self._state = self._previous.copy()
        self._step.send()
        lost = self._receive(self._step, self._everyone)
        if self._cut_off.any():
            lost = np.union1d(np.flatnonzero(self._cut_off), self._nobody if lost is None else lost)
        if lost is not None:
            self._state.assign(lost, self._previous.take(lost))
        task, state = self.task, self._state
        reward, terminated = task.reward(self._previous, actions, state), task.terminated(state)
        self._elapsed += 1
        truncated = self._elapsed >= self._horizon
        if lost is not None:
            answered = ~np.isin(self._everyone, lost)
            reward, terminated, truncated = reward * answered, terminated & answered, truncated | ~answered
        return Transition(task.observation(state), reward, terminated, truncated, lost)

    def replace(self, environments: NDArray[np.intp]) -> None:
        """Restart the players of lost environments, all of which must then be reset.

        Raises:
            PlayerError: one was lost too often without having answered.
        """
        # Those that were only cut off have their new player already.
        environments = environments[~self._cut_off[environments]]
        if not len(environments):
            return
        self._losing = True
        self._losses[environments] += 1
        for index in environments.tolist():
            if self._losses[index] > MAX_CONSECUTIVE_LOSSES:
                player = self._player_of(index)
                process = self._simulation.processes.get(player)
                tail = f"; the end of {process.log_file}:\n{process.log_tail()}" if process is not None else ""
                raise PlayerError(f"player {player} was lost {self._losses[index]} times in a row{tail}")
        self._simulation.restart(sorted({self._player_of(index) for index in environments.tolist()}))

    def frame(self, index: int) -> NDArray[np.uint8] | None:
        """The frame that came with the last response for an environment, shape (height, width, 3), or None."""
        image = self._frames[index]
        if image is None:
            return None
        from PIL import Image

        try:
            return np.asarray(Image.open(io.BytesIO(image[1])).convert("RGB"))
        except OSError as error:
            logger.warning("player %d sent a %s image that cannot be read: %s", self._player_of(index), image[0], error)
            return None

    def _player_of(self, index: int) -> int:
        """Environment id of the player of an environment."""
        return self.players[index // self._worlds]

    def _cut_off_others(self, replaced: NDArray[np.intp], resetting: NDArray[np.intp]) -> None:
        """End the episodes of the other environments of replaced players: their next step finds them lost."""
        if self._worlds == 1 or not len(replaced):
            return
        self._cut_off |= np.isin(self._everyone // self._worlds, replaced // self._worlds)
        self._cut_off[resetting] = False

    def _receive(self, service: PlayerService, asked: NDArray[np.intp]) -> NDArray[np.intp] | None:
        """Take the answers of the environments asked into the states; returns who did not answer, None: all did."""
        late = service.receive(self._timeout)
        if late:
            ids = [self.players[index] for index in late]
            logger.warning("players %s did not answer within %g s (unity.step_timeout)", ids, self._timeout)
        answered: list[NDArray[np.intp]] = []
        for environments, states, filmed, responses in service.answers():
            if self._state is None:
                self._state = _repeat(states, self.num_envs)
            self._state.assign(environments, states)
            answered.append(self._everyone[environments])
            if self._filming:
                self._keep_frames(filmed, responses)
        if not self._losing and sum(map(len, answered)) == len(asked):
            return None
        return self._count_losses(asked, np.concatenate([*answered, self._nobody]))

    def _count_losses(self, asked: NDArray[np.intp], answered: NDArray[np.intp]) -> NDArray[np.intp] | None:
        """Who of the environments asked did not answer, None: all did; those who did are no longer losing."""
        self._losses[answered] = 0
        self._losing = bool(self._losses.any())
        missing = np.setdiff1d(asked, answered)
        return missing if len(missing) else None

    def _keep_frames(self, filmed: Environments, responses: Batch) -> None:
        data = responses.image.data
        if data.shape[1] == 0:
            return
        formats = responses.image.format
        for row, index in enumerate(self._everyone[filmed].tolist()):
            self._frames[index] = (formats[row], data[row].tobytes())

    def _check_types(self) -> None:
        for service in (self._reset, self._step):
            for name in service.names:
                found = self._simulation.endpoint.services[name].services[name]
                if found != service.type_name:
                    raise InputError(
                        f"{name}: the player offers it as {found}, and the task expects {service.type_name}"
                    )


def _repeat(states: Batch, count: int) -> Batch:
    """A batch of `count` copies of the first state: memory for that many."""
    return states.take(np.zeros(count, np.intp))
