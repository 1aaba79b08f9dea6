"""The common core of all environments on players: requests to N players out, arrays of N states and rewards back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.envs.episode_tracker import EpisodeTracker
from rl_pipeline.envs.images import Frames, open_camera
from rl_pipeline.envs.lost_players import LostPlayers
from rl_pipeline.envs.nan_guard import InvalidStates, all_finite, check_actions, invalid_rows, is_finite
from rl_pipeline.envs.observations import Observations, Transition, arrays_of
from rl_pipeline.envs.opponents import Opponents, Opposition
from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.player_calls import make_player_calls
from rl_pipeline.envs.received_states import ReceivedStates
from rl_pipeline.envs.task import Task
from rl_pipeline.envs.task_checks import check_task, needs_graphics, observe_first
from rl_pipeline.interfaces import Batch
from rl_pipeline.simulation.player_arguments import zero_time_hint
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.transport.timing import ResponseTimes, Stamps


@dataclass(frozen=True)
class BatchSettings:
    """Settings of environments on players.

    Attributes:
        frames: whether frames may be asked of the players.
        horizon: steps after which an episode is truncated; None: the task's own.
        players: environment ids of running players; None: start new ones.
        invalid_states: folder for states with NaN or infinity and the states before them; None: they are not written.
        worlds: environments per player; the number of environments is a multiple of it.
        parameters: parameters of the episodes; None: the scene's own.
        opponents: agents that play against the learner; None: the scene plays, if the task has an opponent.
    """

    frames: bool = False
    horizon: int | None = None
    players: Sequence[int] | None = None
    invalid_states: Path | None = None
    worlds: int = 1
    parameters: EnvironmentParameters | None = None
    opponents: Opponents | None = None


DEFAULTS: Final = BatchSettings()


class Phase(Enum):
    """Phase of a batch: which call is due."""

    NEW = "no episode has begun: reset() is due"
    READY = "every environment is in an episode: step_async() or reset() is due"
    STEPPING = "requests are sent: step_wait() is due"
    RESET_DUE = "players were lost: reset() of their environments is due"


class PlayerBatch:
    """N environments on players of one simulation, stepped and reset for a task.

    A player that is lost, by death, silence or nonsense, costs an episode: `step_wait` truncates the episodes of its
    environments, and the next `reset` has the simulation replace it.

    Args:
        task: writes the requests and reads the states.
        simulation: the simulation of the players; new players are started in it.
        num_envs: N.
        settings: further settings.

    Attributes:
        players: environment ids of the N / worlds players; environment i is world i % worlds of player i // worlds.
        received: states, images and times that the players have sent.
        rendering: (N,) bool, the environments that are asked for a frame with each step and reset; of those that share
            a player only the first can be.
    """

    def __init__(self, task: Task, simulation: Simulation, num_envs: int, settings: BatchSettings = DEFAULTS) -> None:
        check_task(task)
        self.task = task
        self.num_envs = num_envs
        self.rendering: NDArray[np.bool_] = np.zeros(num_envs, np.bool_)
        self._simulation = simulation
        self._worlds = worlds = settings.worlds
        self._phase = Phase.NEW
        self._all: NDArray[np.intp] = np.arange(num_envs)
        self._actions: NDArray[Any] = np.zeros(0)
        is_dict = isinstance(task.observation_space, spaces.Dict)
        self._is_finite: Callable[[Any], bool] = all_finite if is_dict else is_finite
        self._invalid = InvalidStates(num_envs, settings.invalid_states)
        parameters = settings.parameters or EnvironmentParameters.of(task, {})
        self._episodes = EpisodeTracker(task, num_envs, settings.horizon or task.max_episode_steps, parameters)
        self._opposition = None if settings.opponents is None else Opposition(task, settings.opponents)
        # Players, started here unless they are there already.
        players = settings.players
        self._camera = open_camera(task, num_envs, worlds)
        if players is None:
            count = num_envs // worlds
            filmed = range(count) if needs_graphics(task, settings.frames) else ()
            players = simulation.start(count, frames=filmed, worlds=worlds, image=task.image)
        self.players = list(players)
        self._lost = LostPlayers(simulation, self.players, worlds)
        # Receiver, and the services of the players.
        unity = simulation.config.unity
        frames = Frames(num_envs) if settings.frames and task.image is None else None
        self.received = ReceivedStates(
            self.players,
            worlds,
            unity.step_timeout,
            self._camera,
            frames,
            action=(task.action_space.shape or (), np.dtype(task.action_space.dtype)),
            period=unity.sample_time or task.control_period,
            hint=zero_time_hint(unity, unity.build_path),
        )
        self._filmed = self.rendering if task.image is None else np.ones(num_envs, np.bool_)
        self._open_services()

    def _open_services(self) -> None:
        """Open the clients of the players' services, and check that players mean the same by their types."""
        task, camera = self.task, self._camera
        on_response = camera.arrived if camera is not None and camera.decodes else None
        settings = (self._worlds, on_response)
        self._reset = make_player_calls(self._simulation, self.players, "reset", task.reset_service, *settings)
        # Observed images stay in the memory of their responses until the step after: two clients take turns then.
        steps = [
            make_player_calls(self._simulation, self.players, "step", task.step_service, *settings)
            for _ in range(1 if camera is None else 2)
        ]
        self._step = steps[0]
        self._steps = itertools.cycle(steps)
        # The present types of the running players.
        for service in (self._reset, self._step):
            for name in service.calls.names:
                self._simulation.backend.check(name, service.type_name)
        self._reset.write(self._episodes.unset_parameters())

    @property
    def state(self) -> Batch:
        """The N states that were reached last."""
        assert self.received.history is not None, "reset() comes first"
        return self.received.history.current

    def reset(self, environments: NDArray[np.intp], seeds: NDArray[np.int64]) -> Observations:
        """Begin an episode in each of the given environments, replacing lost players first.

        Args:
            environments: the environments, shape (K,); those of lost players among them.
            seeds: their seeds, shape (K,).

        Returns:
            Observations of all N environments, shape (N, *observation shape); for a Dict space, such an array a key.

        Raises:
            PlayerError: a player is lost, or its states are invalid, again and again.
        """
        self._lost.begin(environments)
        # The requests.
        self._reset.film(self._filmed)
        self._reset.write(self._episodes.begin(environments, seeds, self.task.reset_request(self.num_envs)))
        if self._opposition is not None:
            self._reset.write(self._opposition.begin(environments, self.num_envs))
        # Until no player is lost on the way. A new player has begun none of its episodes yet.
        asked = environments
        while (observation := self._ask_reset(asked, environments)) is None:
            asked = self._lost.replace(environments)
        self._phase = Phase.READY
        return observation

    def _ask_reset(self, asked: NDArray[np.intp], environments: NDArray[np.intp]) -> Observations | None:
        """Send requests to `asked`, of those environments that begin an episode, and observe the states.

        Returns:
            Observations of all environments; None: players were lost.
        """
        if self._camera is not None:
            self._camera.begin(is_step=False)
        self._reset.send(asked)
        states, lost = self.received.receive(self._reset, asked)
        history = self.received.history
        if lost or states is None or history is None:
            self._lost.add(lost)
            return None
        history.begin(environments)
        states.settle()
        observation = observe_first(self.task, states)
        # An episode cannot begin with NaN: its player is as good as lost.
        invalid = None if self._is_finite(observation) else self._report_invalid(*arrays_of(observation))
        if invalid is not None:
            self._lost.add_invalid(invalid)
            return None
        return observation

    def step(self, actions: NDArray[Any]) -> Transition:
        """Take one step in every environment: `step_async`, then `step_wait`; raises as they do."""
        self.step_async(actions)
        return self.step_wait()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Send the actions to every environment; `step_wait` is to follow.

        Args:
            actions: shape (N, *action shape).

        Raises:
            ActionError: an action has NaN or infinity.
            gymnasium.error.ResetNeeded: no episode has begun, or a lost player's has ended.
        """
        history = self.received.history
        if self._phase is not Phase.READY or history is None:
            raise gymnasium.error.ResetNeeded(self._phase.value)
        check_actions(actions)
        # The requests.
        self._step = next(self._steps)
        self._step.film(self._filmed)
        self._step.write(self.task.request(actions))
        if self._opposition is not None:
            self._step.write(self._opposition.act(self.state))
        if self._camera is not None:
            self._camera.begin(is_step=True)
        self._step.send()
        self._phase = Phase.STEPPING
        # From here to the responses, computation costs nothing: the players are at work.
        history.advance(actions)
        self._episodes.taken += 1
        self._actions = actions

    def step_wait(self) -> Transition:
        """Wait for the step that `step_async` began; lost players are replaced by the next `reset`.

        Raises:
            PlayerError: the states of an environment are invalid again and again.
        """
        history, task = self.received.history, self.task
        assert history is not None
        current, previous = history.current, history.previous
        # The episode of a lost player ends in its last state.
        lost_players = self.received.receive(self._step, self._all).lost
        lost: NDArray[np.bool_] | None = None
        if lost_players or self._lost.cut_off is not None:
            lost = self._lost.take_step(lost_players)
            rows = np.flatnonzero(lost)
            current.assign(rows, previous.take(rows))
        self._phase = Phase.READY if lost is None else Phase.RESET_DUE
        # The task's view of the states.
        current.settle()
        observation = task.observation(current)
        reward = task.reward(previous, self._actions, current)
        # So does an episode whose observation or reward is NaN or infinity.
        sound = self._is_finite(observation) and is_finite(reward)
        invalid = None if sound else self._report_invalid(*arrays_of(observation), reward)
        self._invalid.count_step(invalid)
        if invalid is not None:
            current.assign(invalid, previous.take(invalid))
            current.settle()
            observation = task.observation(current)
        transition = Transition(observation, reward, task.terminated(current), self._episodes.too_long(), lost)
        if lost is not None or invalid is not None:
            transition.invalid = None if invalid is None else np.isin(self._all, invalid)
            transition.cut_short()
        return transition

    def _report_invalid(self, *arrays: NDArray[Any]) -> NDArray[np.intp] | None:
        """Report each environment with NaN or infinity in arrays of leading axis N; returns their indices, or None."""
        history = self.received.history
        if (rows := invalid_rows(*arrays)) is None or history is None:
            return None
        for index in rows.tolist():
            steps = self._episodes.steps(index)
            states, actions = history.last(index, steps)
            seed = int(self._episodes.seeds[index])
            self._invalid.report(index, int(self._lost.player_of[index]), seed, steps, states, actions)
        return rows

    def end_episodes(self, environments: NDArray[np.intp]) -> None:
        """Tell the opponents, if any, that episodes have ended in the present states of these environments."""
        if self._opposition is not None and len(environments):
            self._opposition.end(environments, self.state)

    def response_times(self) -> ResponseTimes:
        """Return the times that the players took to answer the last steps."""
        return self._step.calls.response_times()

    def stamps(self) -> Stamps:
        """Return the times at which requests and responses of the last steps were sent and received."""
        return self._step.calls.stamps()

    def close(self) -> None:
        """End the threads that decode images; the players are their simulation's."""
        if self._camera is not None:
            self._camera.close()
