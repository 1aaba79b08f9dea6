"""N environments on players as one `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Protocol

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from rl_pipeline.envs.observations import Observations, Transition
from rl_pipeline.envs.player_batch import DEFAULTS, BatchSettings, PlayerBatch
from rl_pipeline.envs.task import Task
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.transport.timing import WINDOW, Communication, ResponseTimes, communication


class EpisodeObserver(Protocol):
    """Observer of every step, called before the next episodes begin; see `PlayerVectorEnv.observe`."""

    def begun(self, environments: NDArray[np.intp], observation: Observations) -> None:
        """Episodes of these environments have begun; observations of all, shape (N, *observation shape)."""

    def stepped(self, actions: NDArray[Any], transition: Transition) -> None:
        """All environments have taken a step."""


class PlayerVectorEnv(VectorEnv[Observations, NDArray[Any], NDArray[Any]]):
    """N environments of one task, stepped as one batch by the calling thread.

    An episode that ends is followed by the next one in the same step (`AutoresetMode.SAME_STEP`): the observation
    returned is the new episode's first, and `infos["final_obs"]`, `infos["final_info"]` hold the last of the old one.
    The k-th episode of environment i has the seed `seed + i + k * N`: together the environments play consecutive
    seeds, for any N. An episode whose player is lost ends as truncated, with `player_lost` in its infos, and so does
    one with NaN or infinity in observation or reward, with `invalid_state`.

    Args:
        task: the task.
        simulation: the simulation in which its players are started.
        num_envs: N.
        settings: horizon, parameters, opponents and more.
        seed: of the first episodes, until `reset` gives another.
        seed_stride: seeds from one episode of an environment to its next; None: N.
    """

    def __init__(
        self,
        task: Task,
        simulation: Simulation,
        num_envs: int,
        settings: BatchSettings = DEFAULTS,
        *,
        seed: int = 0,
        seed_stride: int | None = None,
    ) -> None:
        # Attributes of Gymnasium.
        self.metadata = {
            "autoreset_mode": AutoresetMode.SAME_STEP,
            "render_modes": ["rgb_array"],
            "render_fps": task.render_fps(simulation.config.unity.sample_time),
        }
        self.num_envs = num_envs
        self.render_mode = "rgb_array" if settings.frames else None
        self.single_observation_space = task.observation_space
        self.single_action_space = task.action_space
        self.observation_space = batch_space(task.observation_space, num_envs)
        self.action_space = batch_space(task.action_space, num_envs)
        # The batch, and the seeds of its next episodes.
        self.task = task
        self._batch = PlayerBatch(task, simulation, num_envs, settings)
        self._all: NDArray[np.intp] = np.arange(num_envs)
        self._seed_stride = seed_stride or num_envs
        self._next_seeds: NDArray[np.int64] = seed + np.arange(num_envs, dtype=np.int64)
        # The observer of episodes, and the time between steps.
        self._observer: EpisodeObserver | None = None
        self._actions: NDArray[Any] = np.zeros(0)
        self._thinking: deque[float] = deque(maxlen=WINDOW)
        self._returned = time.perf_counter()

    @property
    def players(self) -> list[int]:
        """Environment ids of the players, as their simulation knows them."""
        return self._batch.players

    @property
    def response_times(self) -> ResponseTimes:
        """Time that each player took to answer the last steps, and time that the others waited for it alone."""
        return self._batch.response_times()

    @property
    def communication(self) -> Communication | None:
        """Shares of the time of the last steps; None before the first, and for players that send no stamps."""
        return communication(self._batch.stamps(), self._thinking)

    @property
    def rendering(self) -> NDArray[np.bool_]:
        """(N,) bool, the environments that are asked for a frame with each step; assign to its elements.

        Of the environments that share a player, only the first can be filmed.
        """
        return self._batch.rendering

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode in every environment.

        Args:
            seed: of the first environment's episode (environment i gets seed + i), or one for each; None: go on.
            options: not used.

        Returns:
            Observations, shape (N, *observation shape), and no infos.

        Raises:
            PlayerError: a player is lost, or its states are invalid, again and again.
        """
        if isinstance(seed, int | np.integer):
            self._next_seeds = int(seed) + np.arange(self.num_envs, dtype=np.int64)
        elif seed is not None:
            # Some environments may go on from their own seed.
            for index, value in enumerate(seed):
                self._next_seeds[index] = self._next_seeds[index] if value is None else value
        observation = self._begin(self._all)
        self._returned = time.perf_counter()
        return observation, {}

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Take one step in every environment, and begin the next episode where one ended.

        Args:
            actions: shape (N, *action shape).

        Returns:
            Observations, rewards, terminated, truncated, each of leading axis N, and infos.

        Raises:
            ActionError: an action has NaN or infinity.
            PlayerError: a player is lost, or its states are invalid, again and again.
        """
        # In two parts, so that a caller can do other work between them.
        self.step_async(actions)
        return self.step_wait()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Begin a step in every environment; `step_wait` is to follow, and nothing else in between."""
        self._thinking.append(time.perf_counter() - self._returned)
        self._actions = np.asarray(actions)
        self._batch.step_async(self._actions)

    def step_wait(
        self,
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Wait for the step that `step_async` began; returns and raises as `step` does."""
        transition = self._batch.step_wait()
        if self._observer is not None:
            self._observer.stepped(self._actions, transition)
        observation = transition.observation
        info: dict[str, Any] = {}
        # Begin the next episode where one ended, in the same step.
        ended = transition.terminated | transition.truncated
        if np.count_nonzero(ended):  # a fifth of the time that any() takes on few
            causes = transition.causes()
            final_info: dict[str, Any] = {**self.task.info(self._batch.state), **causes}
            broken = np.logical_or.reduce(list(causes.values())) if causes else False
            self._batch.end_episodes(np.flatnonzero(ended & ~broken))
            info = {"final_obs": observation, "final_info": final_info, "_final_obs": ended, "_final_info": ended}
            observation = self._begin(np.flatnonzero(ended))
        self._returned = time.perf_counter()
        return observation, transition.reward, transition.terminated, transition.truncated, info

    def observe(self, observer: EpisodeObserver | None) -> PlayerBatch:
        """Have an observer called at every episode and step; returns the batch, which has states, images and times.

        Args:
            observer: None: stop.
        """
        self._observer = observer
        self._batch.received.simulated_time = None if observer is None else np.zeros(self.num_envs)
        return self._batch

    def render(self) -> tuple[NDArray[np.uint8], ...]:
        """Return the frames that came with the last responses, each of shape (height, width, 3)."""
        frames = (self.frame(index) for index in range(self.num_envs))
        return tuple(frame for frame in frames if frame is not None)

    def frame(self, index: int) -> NDArray[np.uint8] | None:
        """Return the frame that came with the last response of environment `index`; None: none came."""
        return self._batch.received.frame(index)

    def close_extras(self, **kwargs: Any) -> None:
        """End the environments' own threads; their simulation ends the players."""
        self._batch.close()

    def _begin(self, environments: NDArray[np.intp]) -> Observations:
        """Begin the next episodes of these environments, shape (K,); returns the observations of all."""
        observation = self._batch.reset(environments, self._next_seeds[environments])
        self._next_seeds[environments] += self._seed_stride
        if self._observer is not None:
            self._observer.begun(environments, observation)
        return observation
