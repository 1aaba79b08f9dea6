"""N environments on players as one `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from rl_pipeline.envs.observations import Observations
from rl_pipeline.envs.opponents import Opponents
from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.player_batch import Stepper
from rl_pipeline.envs.task import Task
from rl_pipeline.envs.transition import Transition
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.transport.timing import WINDOW, Communication, ResponseTimes, communication


class EpisodeObserver(Protocol):
    """Sees every step of N environments before the next episodes begin; see `PlayerVectorEnv.observe`."""

    def begun(self, environments: NDArray[np.intp], observation: Observations) -> None:
        """Episodes of these environments have begun; observations of all, shape (N, *observation shape)."""

    def stepped(self, actions: NDArray[Any], transition: Transition) -> None:
        """All environments have taken a step."""


class PlayerVectorEnv(VectorEnv[Observations, NDArray[Any], NDArray[Any]]):
    """N environments of one task, stepped as one batch by the calling thread.

    An episode that ends is followed by the next one in the same step (`AutoresetMode.SAME_STEP`): the observation
    returned is the new episode's first, and `infos["final_obs"]`, `infos["final_info"]` hold the last of the old one.
    The k-th episode of environment i has the seed `seed + i + k * N`: together the environments play consecutive
    seeds, whatever their number. An episode whose player is lost ends as truncated, with `player_lost` in its infos,
    and one with NaN or infinity in observation or reward likewise, with `invalid_state`.

    Args:
        task: the task.
        simulation: where its players are started.
        num_envs: N.
        seed: of the first episodes, until `reset` gives another.
        frames: whether frames may be asked for (`rendering`).
        horizon: steps after which an episode is truncated; None: the task's own.
        players: environment ids of players that are there already; None: start new ones.
        invalid_states: folder that states with NaN or infinity, and those before, are written to; None: they are not.
        worlds: environments a player; N is a multiple of it.
        parameters: of the episodes; None: the task's own.
        opponents: who plays against the learner; None: the scene does, if the task has an opponent.
        seed_stride: seeds from one episode of an environment to its next; None: N.
    """

    def __init__(
        self,
        task: Task,
        simulation: Simulation,
        num_envs: int,
        *,
        seed: int = 0,
        frames: bool = False,
        horizon: int | None = None,
        players: Sequence[int] | None = None,
        invalid_states: Path | None = None,
        worlds: int = 1,
        parameters: EnvironmentParameters | None = None,
        opponents: Opponents | None = None,
        seed_stride: int | None = None,
    ) -> None:
        self.metadata = {
            "autoreset_mode": AutoresetMode.SAME_STEP,
            "render_modes": ["rgb_array"],
            "render_fps": task.render_fps(simulation.config.unity.sample_time),
        }
        self.task = task
        self.num_envs = num_envs
        self.render_mode = "rgb_array" if frames else None
        self.single_observation_space, self.single_action_space = task.observation_space, task.action_space
        self.observation_space = batch_space(task.observation_space, num_envs)
        self.action_space = batch_space(task.action_space, num_envs)
        self._simulation = simulation
        self._stepper = Stepper(
            task,
            simulation,
            num_envs,
            frames=frames,
            horizon=horizon,
            players=players,
            invalid_states=invalid_states,
            worlds=worlds,
            parameters=parameters,
            opponents=opponents,
        )
        self._everyone: NDArray[np.intp] = np.arange(num_envs)
        self._observer: EpisodeObserver | None = None
        self._thinking: deque[float] = deque(maxlen=WINDOW)
        self._returned = time.perf_counter()
        self._actions: NDArray[Any] = np.zeros(0)
        self._seed_stride = seed_stride or num_envs
        self._next_seeds: NDArray[np.int64] = seed + np.arange(num_envs, dtype=np.int64)

    @property
    def players(self) -> list[int]:
        """Environment ids of the players, as their simulation knows them."""
        return self._stepper.players

    @property
    def response_times(self) -> ResponseTimes:
        """How long each player took to answer the last steps, and how long the others waited for it alone."""
        return self._stepper.response_times()

    @property
    def communication(self) -> Communication | None:
        """Where the time of the last steps went; None before the first, and for players that send no stamps."""
        return communication(self._stepper.stamps(), self._thinking)

    @property
    def rendering(self) -> NDArray[np.bool_]:
        """(N,) bool: which environments are asked for a frame with each step; assign to its elements.

        Of the environments that share a player, only the first can be filmed.
        """
        return self._stepper.rendering

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode in every environment.

        Args:
            seed: of the first environment's episode (environment i gets seed + i), or one for each; None: go on.
            options: not used.
        """
        if isinstance(seed, int | np.integer):
            self._next_seeds = int(seed) + np.arange(self.num_envs, dtype=np.int64)
        elif seed is not None:
            for index, value in enumerate(seed):
                self._next_seeds[index] = self._next_seeds[index] if value is None else value
        observation = self._begin(self._everyone)
        self._returned = time.perf_counter()
        return observation, {}

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Take one step in every environment, and begin the next episode where one ended."""
        self.step_async(actions)
        return self.step_wait()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Begin a step in every environment; `step_wait` is to follow, and nothing else in between."""
        self._thinking.append(time.perf_counter() - self._returned)
        self._actions = np.asarray(actions)
        self._stepper.step_async(self._actions)

    def step_wait(
        self,
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Wait for the step that `step_async` began, and return what `step` does."""
        transition = self._stepper.step_wait()
        if self._observer is not None:
            self._observer.stepped(self._actions, transition)
        observation = transition.observation
        info: dict[str, Any] = {}
        ended = transition.terminated | transition.truncated
        if np.count_nonzero(ended):  # a fifth of the time that any() takes on few
            causes = transition.causes()
            final_info: dict[str, Any] = {**self.task.info(self._stepper.state), **causes}
            broken = np.logical_or.reduce(list(causes.values())) if causes else False
            self._stepper.finish(np.flatnonzero(ended & ~broken))
            if transition.lost is not None:
                self._stepper.replace(transition.lost)
            info = {"final_obs": observation, "final_info": final_info, "_final_obs": ended, "_final_info": ended}
            observation = self._begin(np.flatnonzero(ended))
        self._returned = time.perf_counter()
        return observation, transition.reward, transition.terminated, transition.truncated, info

    def observe(self, observer: EpisodeObserver | None) -> Stepper:
        """Have an observer, or none, told of every episode and step; gives where states, images and times are."""
        self._observer = observer
        self._stepper.arrivals.simulated_time = None if observer is None else np.zeros(self.num_envs)
        return self._stepper

    def render(self) -> tuple[NDArray[np.uint8], ...]:
        """The frames that came with the last responses, each of shape (height, width, 3)."""
        frames = (self._stepper.frame(index) for index in range(self.num_envs))
        return tuple(frame for frame in frames if frame is not None)

    def frame(self, index: int) -> NDArray[np.uint8] | None:
        """The frame that came with the last response of environment `index`, or None."""
        return self._stepper.frame(index)

    def close_extras(self, **kwargs: Any) -> None:
        """End what the environments have of their own; their simulation ends the players."""
        self._stepper.close()

    def _begin(self, players: NDArray[np.intp]) -> Observations:
        observation = self._stepper.reset(players, self._next_seeds[players])
        self._next_seeds[players] += self._seed_stride
        if self._observer is not None:
            self._observer.begun(players, observation)
        return observation
