"""What all environments on players share: requests to N players out, arrays of N observations and rewards back."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.invalid_states import InvalidStates, check_actions, invalid_rows, is_finite
from rl_pipeline.envs.state_history import StateHistory
from rl_pipeline.envs.task import Fields, Task
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Batch, CodecError, load_interfaces
from rl_pipeline.simulation.simulation import PlayerError, Simulation
from rl_pipeline.transport.response_times import ResponseTimes
from rl_pipeline.transport.service_batch import ServiceBatch

logger = logging.getLogger(__name__)


@dataclass
class Transition:
    """One step of N environments; of those that were lost or invalid, the state is the one before.

    Attributes:
        observation: (N, *observation shape), of the state reached.
        reward: (N,) float64; 0 where the player was lost or the state invalid.
        terminated: (N,) bool.
        truncated: (N,) bool: the episode is too long, its player was lost or its state invalid.
        lost: players that were lost, shape (number of lost,); None: none was, as nearly always.
        invalid: environments whose observation or reward had NaN or infinity; None: none, as nearly always.
    """

    observation: NDArray[Any]
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    lost: NDArray[np.intp] | None
    invalid: NDArray[np.intp] | None

    def causes(self) -> dict[str, NDArray[np.bool_]]:
        """Why episodes were cut short by their players, as infos of shape (N,); empty, as nearly always."""
        if self.lost is None and self.invalid is None:
            return {}
        everyone = np.arange(len(self.reward))
        reasons = {"player_lost": self.lost, "invalid_state": self.invalid}
        return {name: np.isin(everyone, who) for name, who in reasons.items() if who is not None}


class Stepper:
    """Steps and resets N players of one simulation for a task.

    Args:
        task: what is sent to players and what their states mean.
        simulation: where the players are; `num_envs` more are started in it.
        num_envs: N.
        frames: whether frames may be asked of the players (`rendering`).
        horizon: steps after which an episode is truncated; None: the task's own.
        players: environment ids of players that are there already; None: start new ones.
        invalid_states: folder that states with NaN or infinity, and those before, are written to; None: they are not.

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
        invalid_states: Path | None = None,
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
        self._seeds: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self._history: StateHistory | None = None
        self._invalid = InvalidStates(num_envs, invalid_states)
        self._problems: dict[int, str] = {}
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
        self._check_types()

    @property
    def state(self) -> Batch:
        """The N states that were reached last."""
        assert self._history is not None, "reset() comes first"
        return self._history.current

    def reset(self, players: NDArray[np.intp], seeds: NDArray[np.int64]) -> NDArray[Any]:
        """Begin an episode in each of the given environments, replacing players that are lost on the way.

        Args:
            players: which environments, shape (M,).
            seeds: their seeds, shape (M,).

        Returns:
            Observations of all N environments, shape (N, *observation shape).

        Raises:
            PlayerError: a player is lost, or its states are invalid, again and again.
        """
        self._seeds[players] = seeds
        self._reset.request["render"] = self.rendering
        self._reset.request["seed"] = self._seeds % 2**32
        _assign(self._reset.request, self.task.reset_request(self.num_envs))
        self._elapsed[players] = 0
        remaining: NDArray[np.intp] | None = players
        while remaining is not None:
            self._reset.send(remaining)
            remaining = self._receive(self._reset, remaining)
            if remaining is None:
                observation = self.task.observation(self.state)
                remaining = None if is_finite(observation) else self._find_invalid(observation)
                for index in self._nobody if remaining is None else remaining:
                    self._problems[self.players[index]] = "begins an episode with NaN or infinity"
            if remaining is not None:
                self.replace(remaining)
        if observation.shape[1:] != self.task.observation_space.shape:
            raise InputError(
                f"environment.env_config: {type(self.task).__name__} makes observations of shape "
                f"{observation.shape[1:]} of what its players send, but declares {self.task.observation_space.shape}"
            )
        return observation

    def step(self, actions: NDArray[Any]) -> Transition:
        """Take one step in every environment; lost players are not replaced yet, see `replace`.

        Raises:
            ActionError: an action has NaN or infinity.
            PlayerError: the states of an environment are invalid again and again.
        """
        check_actions(actions)
        self._render_steps[:] = self.rendering
        _assign(self._step.request, self.task.request(actions))
        history, task = self._history, self.task
        assert history is not None, "reset() comes first"
        history.advance(actions)
        self._step.send()
        lost = self._receive(self._step, self._everyone)
        if lost is not None:
            history.current.assign(lost, history.previous.take(lost))
        observation = task.observation(history.current)
        reward = task.reward(history.previous, actions, history.current)
        self._elapsed += 1
        sound = is_finite(observation) and is_finite(reward)
        invalid = None if sound else self._find_invalid(observation, reward)
        self._invalid.count_step(invalid)
        if invalid is not None:
            history.current.assign(invalid, history.previous.take(invalid))
            observation = task.observation(history.current)
        terminated, truncated = task.terminated(history.current), self._elapsed >= self._horizon
        transition = Transition(observation, reward, terminated, truncated, lost, invalid)
        for broken in transition.causes().values():
            transition.reward = np.where(broken, 0.0, transition.reward)
            transition.terminated = transition.terminated & ~broken
            transition.truncated = transition.truncated | broken
        return transition

    def replace(self, players: NDArray[np.intp]) -> None:
        """Restart lost players, which must then be reset.

        Raises:
            PlayerError: one was restarted too often (`unity.max_lifetime_restarts`).
        """
        problems, self._problems = self._problems, {}
        self._simulation.restart([self.players[index] for index in players.tolist()], problems)

    def response_times(self) -> ResponseTimes:
        """How long the players took to answer the last steps."""
        return self._step.response_times()

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
            if self._history is None:
                self._history = StateHistory(_repeat(states, self.num_envs))
            try:
                self._history.current.assign(players, states)
            except CodecError as error:
                for index in self._everyone[players].tolist():
                    self._note_unreadable(index, error)
                continue
            answered.append(self._everyone[players])
            if self._filming:
                self._keep_frames(answered[-1], responses)
        if sum(map(len, answered)) == len(asked):
            return None
        for index, reason in service.refused.items():
            self._note_unreadable(index, reason)
        return np.setdiff1d(asked, np.concatenate([*answered, self._nobody]))

    def _note_unreadable(self, index: int, error: CodecError) -> None:
        """Have a player that sent what cannot be read replaced as lost; when it is the first that came, give up.

        Raises:
            PlayerError: no player has sent anything readable yet, so that a restart will not help.
        """
        player = self.players[index]
        problem = f"sent a response that cannot be read: {error}"
        if self._history is None:
            raise PlayerError(f"player {player} {problem}; was it built with other interfaces?")
        self._problems[player] = problem

    def _find_invalid(self, *arrays: NDArray[Any]) -> NDArray[np.intp] | None:
        """Environments with NaN or infinity in arrays of leading axis N, having told of each; None: there are none."""
        if (rows := invalid_rows(*arrays)) is None:
            return None
        assert self._history is not None
        for index in rows.tolist():
            steps = int(self._elapsed[index])
            states, actions = self._history.last(index, steps)
            self._invalid.report(index, self.players[index], int(self._seeds[index]), steps, states, actions)
        return rows

    def _keep_frames(self, players: NDArray[np.intp], responses: Batch) -> None:
        data = responses.image.data
        if data.shape[1] == 0:
            return
        formats = responses["image.format"]
        for row, index in enumerate(players.tolist()):
            self._frames[index] = (formats[row].tobytes().decode(errors="replace"), data[row].tobytes())

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
