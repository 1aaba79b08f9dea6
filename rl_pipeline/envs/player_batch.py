"""What all environments on players share: requests to N players out, arrays of N observations and rewards back."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.envs.images import Frames, open_camera
from rl_pipeline.envs.nan_guard import InvalidStates, all_finite, check_actions, invalid_rows, is_finite
from rl_pipeline.envs.observation_check import observe_first
from rl_pipeline.envs.observations import Observations, arrays_of
from rl_pipeline.envs.opponents import Opponents, Opposition
from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.player_calls import player_service
from rl_pipeline.envs.received_states import Arrivals
from rl_pipeline.envs.service_contract import check_task, needs_graphics
from rl_pipeline.envs.task import Task
from rl_pipeline.envs.transition import Transition
from rl_pipeline.interfaces import Batch, load_interfaces
from rl_pipeline.interfaces.optional_fields import has_field
from rl_pipeline.simulation.player_arguments import zero_time_hint
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.transport.timing import ResponseTimes, Stamps

logger = logging.getLogger(__name__)


class Stepper:
    """Steps and resets N environments on players of one simulation for a task.

    Args:
        task: what is sent to players and what their states mean.
        simulation: where the players are; as many more as it takes are started in it.
        num_envs: N.
        frames: whether frames may be asked of the players (`rendering`).
        horizon: steps after which an episode is truncated; None: the task's own.
        players: environment ids of players that are there already; None: start new ones.
        invalid_states: folder that states with NaN or infinity, and those before, are written to; None: they are not.
        worlds: environments a player, of which N is a multiple; environment i is world i % worlds of its player.
        parameters: of the episodes; None: the task's own.
        opponents: who plays against the learner; None: the scene does, if the task has an opponent.

    Attributes:
        players: environment ids of the N / worlds players.
        arrivals: what the players have sent.
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
        invalid_states: Path | None = None,
        worlds: int = 1,
        parameters: EnvironmentParameters | None = None,
        opponents: Opponents | None = None,
    ) -> None:
        check_task(task)
        self.task = task
        self.num_envs = num_envs
        self._is_finite: Callable[[Any], bool] = (
            all_finite if isinstance(task.observation_space, spaces.Dict) else is_finite
        )
        self.rendering: NDArray[np.bool_] = np.zeros(num_envs, np.bool_)
        self._filmed = self.rendering if task.image is None else np.ones(num_envs, np.bool_)
        self._simulation = simulation
        self._horizon = horizon or task.max_episode_steps
        self._everyone: NDArray[np.intp] = np.arange(num_envs)
        self._nobody: NDArray[np.intp] = np.zeros(0, np.intp)
        # Steps taken, counted once for all; at which count each episode began; before which none is too long.
        self._taken = self._due = 0
        self._begun: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self._seeds: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self._actions: NDArray[Any] = np.zeros(0)
        self._invalid = InvalidStates(num_envs, invalid_states)
        self._cut_off: NDArray[np.bool_] = np.zeros(num_envs, np.bool_)
        self._worlds = worlds
        self._takes_seeds = has_field(load_interfaces().service(task.reset_service).request.struct, "seed")
        self._parameters = parameters or EnvironmentParameters.of(task, {})
        self._drawn = {f"parameters.{name}": np.zeros(num_envs) for name in self._parameters.lessons}
        self._opposition = None if opponents is None else Opposition(task, opponents)
        self._camera = open_camera(task, num_envs, worlds)
        if players is None:
            count = num_envs // worlds
            filmed = range(count) if needs_graphics(task, frames) else ()
            players = simulation.start(count, frames=filmed, worlds=worlds, image=task.image)
        self.players = list(players)
        kept = Frames(num_envs) if frames and task.image is None else None
        unity = simulation.config.unity
        self.arrivals = Arrivals(
            self.players, worlds, unity.step_timeout, self._camera, kept,
            action=(task.action_space.shape or (), np.dtype(task.action_space.dtype)),
            period=unity.sample_time or task.control_period, hint=zero_time_hint(unity, unity.build_path),
        )  # fmt: skip
        arrived = self._camera.arrived if self._camera is not None and self._camera.decodes else None
        self._reset = player_service(simulation, self.players, "reset", task.reset_service, worlds, arrived)
        # Images are looked at where they are received, until the step after: two services take turns then.
        steps = [
            player_service(simulation, self.players, "step", task.step_service, worlds, arrived)
            for _ in range(1 if self._camera is None else 2)
        ]
        self._step, self._steps = steps[0], itertools.cycle(steps)
        self._check_types()
        # NaN stands for the scene's own value.
        self._reset.write({f"parameters.{name}": np.nan for name in self._parameters.names})

    @property
    def state(self) -> Batch:
        """The N states that were reached last."""
        assert self.arrivals.history is not None, "reset() comes first"
        return self.arrivals.history.current

    def reset(self, environments: NDArray[np.intp], seeds: NDArray[np.int64]) -> Observations:
        """Begin an episode in each of the given environments, replacing players that are lost on the way.

        Args:
            environments: which, shape (K,).
            seeds: their seeds, shape (K,).

        Returns:
            Observations of all N environments, shape (N, *observation shape); for a Dict space, such an array a key.

        Raises:
            PlayerError: a player is lost, or its states are invalid, again and again.
        """
        self._seeds[environments] = seeds
        self._reset.film(self._filmed)
        for name, values in self._parameters.sample(seeds).items():
            self._drawn[f"parameters.{name}"][environments] = values
        seeding: dict[str, Any] = {"seed": self._seeds % 2**32} if self._takes_seeds else {}
        self._reset.write({**seeding, **self.task.reset_request(self.num_envs), **self._drawn})
        if self._opposition is not None:
            self._reset.write(self._opposition.begin(environments, self.num_envs))
        self._begun[environments] = self._taken
        self._due = int(self._begun.min()) + self._horizon
        self._cut_off[environments] = False
        remaining: NDArray[np.intp] | None = environments
        while remaining is not None:
            if self._camera is not None:
                self._camera.begin(is_step=False)
            self._reset.send(remaining)
            remaining = self.arrivals.receive(self._reset, remaining)
            if remaining is None:
                assert self.arrivals.history is not None
                self.arrivals.history.begin(environments)
                self.state.settle()
                observation = observe_first(self.task, self.state)
                remaining = None if self._is_finite(observation) else self._find_invalid(*arrays_of(observation))
                for index in self._nobody if remaining is None else remaining:
                    self.arrivals.problems[self._player_of(index)] = "begins an episode with NaN or infinity"
            if remaining is not None:
                self.replace(remaining)
                self._cut_off_others(remaining, environments)
                # A new player has begun none of its episodes yet, those that were sound before included.
                remaining = environments[np.isin(environments // self._worlds, remaining // self._worlds)]
        return observation

    def step(self, actions: NDArray[Any]) -> Transition:
        """Take one step in every environment: `step_async`, then `step_wait`, which say what is raised."""
        self.step_async(actions)
        return self.step_wait()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Send the actions to every environment; `step_wait` is to follow.

        Raises:
            ActionError: an action has NaN or infinity.
        """
        check_actions(actions)
        self._step = next(self._steps)
        self._step.film(self._filmed)
        self._step.write(self.task.request(actions))
        if self._opposition is not None:
            self._step.write(self._opposition.act(self.state))
        history = self.arrivals.history
        assert history is not None, "reset() comes first"
        if self._camera is not None:
            self._camera.begin(is_step=True)
        self._step.send()
        # From here to the responses, what is computed costs nothing: the players are at work.
        history.advance(actions)
        self._taken += 1
        self._actions = actions

    def step_wait(self) -> Transition:
        """Wait for the step that `step_async` began; lost players are not replaced yet, see `replace`.

        Raises:
            PlayerError: the states of an environment are invalid again and again.
        """
        history, task, actions = self.arrivals.history, self.task, self._actions
        assert history is not None, "reset() comes first"
        lost = self.arrivals.receive(self._step, self._everyone)
        if self._worlds > 1 and self._cut_off.any():
            lost = np.union1d(np.flatnonzero(self._cut_off), self._nobody if lost is None else lost)
        if lost is not None:
            history.current.assign(lost, history.previous.take(lost))
        history.current.settle()
        observation = task.observation(history.current)
        reward = task.reward(history.previous, actions, history.current)
        sound = self._is_finite(observation) and is_finite(reward)
        invalid = None if sound else self._find_invalid(*arrays_of(observation), reward)
        self._invalid.count_step(invalid)
        if invalid is not None:
            history.current.assign(invalid, history.previous.take(invalid))
            history.current.settle()
            observation = task.observation(history.current)
        terminated = task.terminated(history.current)
        transition = Transition(observation, reward, terminated, self._too_long(), lost, invalid)
        for broken in transition.causes().values():
            transition.reward = np.where(broken, 0.0, transition.reward)
            transition.terminated = transition.terminated & ~broken
            transition.truncated = transition.truncated | broken
        return transition

    def replace(self, environments: NDArray[np.intp]) -> None:
        """Restart the players of lost environments, all of which must then be reset.

        Raises:
            PlayerError: one was restarted too often (`unity.max_lifetime_restarts`).
        """
        # Those that were only cut off have their new player already.
        environments = environments[~self._cut_off[environments]]
        players = sorted({self._player_of(index) for index in environments.tolist()})
        problems, self.arrivals.problems = self.arrivals.problems, {}
        if players:
            self._simulation.replace({player: problems.get(player, "") for player in players})

    def finish(self, environments: NDArray[np.intp]) -> None:
        """Tell the opponents, if any, that episodes have ended in the present states of these environments."""
        if self._opposition is not None and len(environments):
            self._opposition.end(environments, self.state)

    def response_times(self) -> ResponseTimes:
        """How long the players took to answer the last steps."""
        return self._step.response_times()

    def stamps(self) -> Stamps:
        """When the requests and responses of the last steps were sent and received."""
        return self._step.stamps()

    def image(self, index: int) -> tuple[str, bytes] | None:
        """Format and bytes of the image that came with the last response for an environment, or None."""
        return self.arrivals.image(index)

    def frame(self, index: int) -> NDArray[np.uint8] | None:
        """The frame that came with the last response for an environment, shape (height, width, 3), or None."""
        return self.arrivals.frame(index)

    def close(self) -> None:
        """End the threads that decode images; the players are their simulation's."""
        if self._camera is not None:
            self._camera.close()

    def _too_long(self) -> NDArray[np.bool_]:
        """Which episodes have taken as many steps as they may, shape (N,)."""
        if self._taken < self._due:
            return np.zeros(self.num_envs, np.bool_)
        too_long: NDArray[np.bool_] = self._taken - self._begun >= self._horizon
        return too_long

    def _player_of(self, index: int) -> int:
        """Environment id of the player of an environment."""
        return self.players[index // self._worlds]

    def _cut_off_others(self, replaced: NDArray[np.intp], resetting: NDArray[np.intp]) -> None:
        """End the episodes of the other environments of replaced players: their next step finds them lost."""
        if self._worlds == 1 or not len(replaced):
            return
        self._cut_off |= np.isin(self._everyone // self._worlds, replaced // self._worlds)
        self._cut_off[resetting] = False

    def _find_invalid(self, *arrays: NDArray[Any]) -> NDArray[np.intp] | None:
        """Environments with NaN or infinity in arrays of leading axis N, having told of each; None: there are none."""
        if (rows := invalid_rows(*arrays)) is None:
            return None
        assert self.arrivals.history is not None
        for index in rows.tolist():
            steps = self._taken - int(self._begun[index])
            states, actions = self.arrivals.history.last(index, steps)
            self._invalid.report(index, self._player_of(index), int(self._seeds[index]), steps, states, actions)
        return rows

    def _check_types(self) -> None:
        for service in (self._reset, self._step):
            for name in service.names:
                self._simulation.backend.check(name, service.type_name)
