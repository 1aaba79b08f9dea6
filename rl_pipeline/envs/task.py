"""The contract of a task: observation, action, reward and end of an episode, as pure functions of arrays.

Every function works on a leading axis N, the number of environments, so that one implementation serves one
environment and a thousand. A task holds no state of an episode: everything it needs must be in the player's state,
whose attribute `last_actions` has the actions that led to it, shape (N, *action_space.shape).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.envs.observations import Observations
from rl_pipeline.interfaces import Batch
from rl_pipeline.interfaces.images import ImageSpec

Fields = Mapping[str, Any]
"""Request fields by dotted name, such as `action.linear.x`, each an array with leading axis N or a scalar."""


class Task(ABC):
    """One task on one scene.

    Attributes:
        scene: name of the scene; the services are `/<scene>_<environment-id>/reset` and `.../step`.
        reset_service: type of the reset service. Its request may have `parameters`, a message of numbers that
            `environment.parameters` of the configuration sets.
        step_service: type of the step service. Both responses have a `state` field of the same type. All other fields
            that environments use are optional, see interfaces/optional_fields.py.
        observation_space: space of one observation: an array, or a Dict of arrays.
        action_space: space of one action.
        max_episode_steps: steps after which an episode is truncated.
        control_period: simulated seconds of one step, when the scene chooses them (`unity.sample_time: 0`).
        image: the camera image that comes with every state, as `state.image` of shape (N, height, width, 3), uint8;
            None: none does.
    """

    scene: ClassVar[str]
    reset_service: ClassVar[str]
    step_service: ClassVar[str]
    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]
    max_episode_steps: int = 1000
    control_period: float = 0.1
    image: ImageSpec | None = None

    @abstractmethod
    def request(self, actions: NDArray[Any]) -> Fields:
        """Return fields of the step request for actions of shape (N, *action_space.shape)."""

    def reset_request(self, num_envs: int) -> Fields:
        """Return fields of the reset request other than the seed; parameters that are not given are the scene's own."""
        return {}

    @abstractmethod
    def observation(self, state: Batch) -> Observations:
        """Return observations, shape (N, *observation_space.shape), in the dtype of the observation space.

        For a Dict space, a dictionary with such an array for each key.
        """

    @abstractmethod
    def reward(self, previous: Batch, actions: NDArray[Any], state: Batch) -> NDArray[np.float64]:
        """Return rewards, shape (N,), for going from `previous` to `state`.

        `previous.last_actions` are the actions before these, zeros in the first step of an episode.
        """

    @abstractmethod
    def terminated(self, state: Batch) -> NDArray[np.bool_]:
        """Return True where an episode has ended in a terminal state, shape (N,)."""

    def render_fps(self, sample_time: float) -> float:
        """Return the frames per second at which a video of every step plays in real time."""
        return 1.0 / (sample_time or self.control_period)

    def info(self, state: Batch) -> dict[str, NDArray[Any]]:
        """Return further reports at the end of an episode, an array of leading axis N for each key.

        `is_success` (bool) is counted as success rate.
        """
        return {}
