"""What acts in an environment: a trained model, or a baseline to compare it with."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.errors import UnknownNameError

TRAINED = "trained"
BASELINES = ("random", "zero")


class Agent(Protocol):
    """Anything with the `predict` of Stable-Baselines3's models."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[NDArray[Any], Any]:
        """Actions, shape (N, *action_space.shape), for N observations; and the recurrent state, if any."""
        ...


class RandomAgent:
    """Uniform samples of the action space, the same for the same seed."""

    def __init__(self, action_space: spaces.Space[Any], num_envs: int, seed: int) -> None:
        self._space, self._num_envs = action_space, num_envs
        self._space.seed(seed)

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[NDArray[Any], None]:
        """One sample an environment."""
        return np.stack([self._space.sample() for _ in range(self._num_envs)]), None


class ZeroAgent:
    """The action zero, or what is nearest to it in the action space."""

    def __init__(self, action_space: spaces.Space[Any], num_envs: int) -> None:
        action = np.zeros(action_space.shape or (), dtype=action_space.dtype)
        if isinstance(action_space, spaces.Box):
            action = np.clip(action, action_space.low, action_space.high)
        if isinstance(action_space, spaces.Discrete):
            action = action + action_space.start
        self._actions = np.stack([action] * num_envs)

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[NDArray[Any], None]:
        """The same action for each environment."""
        return self._actions.copy(), None


def baseline_agent(kind: str, action_space: spaces.Space[Any], num_envs: int, seed: int) -> Agent:
    """The baseline of that name. Raises `UnknownNameError` for another."""
    if kind == "random":
        return RandomAgent(action_space, num_envs, seed)
    if kind == "zero":
        return ZeroAgent(action_space, num_envs)
    raise UnknownNameError("agent", kind, (TRAINED, *BASELINES), where="--agent")
