"""What all environments on players share: requests to N players out, arrays of N observations and rewards back."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.task import Fields, Task
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Batch, load_interfaces
from rl_pipeline.simulation.simulation import PlayerError, Simulation
from rl_pipeline.transport.service_batch import ServiceBatch

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
        lost: players that were lost, shape (number of lost,); None: none was, as nearly always.
    """

    observation: NDArray[Any]
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    lost: NDArray[np.intp] | None


class Stepper:
    """Steps and resets N players of one simulation for a task.

    Args:
        task: what is sent to players and what their states mean.
        simulation: where the players are; `num_envs` more are started in it.
        num_envs: N.
        frames: whether frames may be asked of the players (`rendering`).
        horizon: steps after which an episode is truncated; None: the task's own.
        players: environment ids of players that are there already; None: start new ones.

    Attributes:
        players: environment ids of the N players.
        rendering: (N,) bool, which players are asked for a frame with each step and reset.
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
        self._state: Batch | None = None
        self._previous: Batch | None = None
        interfaces = load_interfaces()
        reset, step = interfaces.service(task.reset_service), interfaces.service(task.step_service)
        if players is None:
            players = simulation.start(num_envs, frames=range(num_envs) if frames else ())
        self.players = list(players)
        resets, steps = (
            [simulation.service_name(player, service) for player in self.players] for service in ("reset", "step")
        )
        self._reset = ServiceBatch(simulation.endpoint, reset, resets)
        self._step = ServiceBatch(simulation.endpoint, step, steps)
        self._render_steps: NDArray[np.bool_] = self._step.request["render"]
        self._losing = False
        self._check_types()

    @property
    def state(self) -> Batch:
        """The N states that were reached last."""
        assert self._state is not None, "reset() comes first"
        return self._state

    def reset(self, players: NDArray[np.intp], seeds: NDArray[np.int64]) -> NDArray[Any]:
        """Begin an episode in each of the given environments, replacing players that are lost on the way.

        Args:
            players: which environments, shape (M,).
            seeds: their seeds, shape (M,).

        Returns:
            Observations of all N environments, shape (N, *observation shape).

        Raises:
            PlayerError: a player is lost again and again.
        """
        self._seeds[players] = seeds
        self._reset.request["render"] = self.rendering
        self._reset.request["seed"] = self._seeds % 2**32
        _assign(self._reset.request, self.task.reset_request(self.num_envs))
        remaining = players
        while len(remaining):
            self._reset.send(remaining)
            missing = self._receive(self._reset, remaining)
            remaining = missing if missing is not None else remaining[:0]
            self.replace(remaining)
        self._elapsed[players] = 0
        observation = self.task.observation(self.state)
        if observation.shape[1:] != self.task.observation_space.shape:
            raise InputError(
                f"environment.env_config: {type(self.task).__name__} makes observations of shape "
                f"{observation.shape[1:]} of what its players send, but declares {self.task.observation_space.shape}"
            )
        return observation

    def step(self, actions: NDArray[Any]) -> Transition:
        """Take one step in every environment; lost players are not replaced yet, see `replace`."""
        self._render_steps[:] = self.rendering
        _assign(self._step.request, self.task.request(actions))
        self._state, self._previous = self._previous, self._state
        assert self._previous is not None, "reset() comes first"
        if self._state is None:
            self._state = self._previous.copy()
        self._step.send()
        lost = self._receive(self._step, self._everyone)
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

    def replace(self, players: NDArray[np.intp]) -> None:
        """Restart lost players, which must then be reset.

        Raises:
            PlayerError: one was lost too often without having answered.
        """
        if not len(players):
            return
        self._losing = True
        self._losses[players] += 1
        for index in players.tolist():
            if self._losses[index] > MAX_CONSECUTIVE_LOSSES:
                process = self._simulation.processes.get(self.players[index])
                tail = f"; the end of {process.log_file}:\n{process.log_tail()}" if process is not None else ""
                raise PlayerError(f"player {self.players[index]} was lost {self._losses[index]} times in a row{tail}")
        self._simulation.restart([self.players[index] for index in players.tolist()])

    def frame(self, index: int) -> NDArray[np.uint8] | None:
        """The frame that came with the last response of a player, shape (height, width, 3), or None."""
        image = self._frames[index]
        if image is None:
            return None
        from PIL import Image

        try:
            return np.asarray(Image.open(io.BytesIO(image[1])).convert("RGB"))
        except OSError as error:
            logger.warning("player %d sent a %s image that cannot be read: %s", self.players[index], image[0], error)
            return None

    def _receive(self, service: ServiceBatch, asked: NDArray[np.intp]) -> NDArray[np.intp] | None:
        """Take the responses of the players asked into the states; returns who did not answer, None: all did."""
        late = service.receive(self._timeout)
        if late:
            ids = [self.players[index] for index in late]
            logger.warning("players %s did not answer within %g s (unity.step_timeout)", ids, self._timeout)
        answered: list[NDArray[np.intp]] = []
        for players, responses in service.responses():
            states = responses.state
            if self._state is None:
                self._state = _repeat(states, self.num_envs)
            self._state.assign(players, states)
            answered.append(self._everyone[players])
            if self._filming:
                self._keep_frames(answered[-1], responses)
        if not self._losing and sum(map(len, answered)) == len(asked):
            return None
        return self._count_losses(asked, np.concatenate([*answered, self._nobody]))

    def _count_losses(self, asked: NDArray[np.intp], answered: NDArray[np.intp]) -> NDArray[np.intp] | None:
        """Who of the players asked did not answer, None: all did; those who did are no longer losing."""
        self._losses[answered] = 0
        self._losing = bool(self._losses.any())
        missing = np.setdiff1d(asked, answered)
        return missing if len(missing) else None

    def _keep_frames(self, players: NDArray[np.intp], responses: Batch) -> None:
        data = responses.image.data
        if data.shape[1] == 0:
            return
        formats = responses.image.format
        for row, index in enumerate(players.tolist()):
            self._frames[index] = (formats[row], data[row].tobytes())

    def _check_types(self) -> None:
        for service, expected in ((self._reset, self.task.reset_service), (self._step, self.task.step_service)):
            for name in service.names:
                found = self._simulation.endpoint.services[name].services[name]
                if found != expected:
                    raise InputError(f"{name}: the player offers it as {found}, and the task expects {expected}")


def _assign(request: Batch, fields: Fields) -> None:
    for name, value in fields.items():
        request[name] = value


def _repeat(states: Batch, count: int) -> Batch:
    """A batch of `count` copies of the first state: memory for that many."""
    return states.take(np.zeros(count, np.intp))
