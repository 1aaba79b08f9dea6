"""Agents: anything that acts in an environment, such as a trained model or a baseline to compare it with."""

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
        """Return actions, shape (N, *action_space.shape), for N observations, and the recurrent state, if any."""
        ...


class RandomAgent:
    """Baseline that samples the action space uniformly; equal seeds give equal actions."""

    def __init__(self, action_space: spaces.Space[Any], num_envs: int, seed: int) -> None:
        self._space = action_space
        self._num_envs = num_envs
        # The space has a random generator of its own.
        self._space.seed(seed)

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[NDArray[Any], None]:
        """Return one sample for each environment."""
        return np.stack([self._space.sample() for _ in range(self._num_envs)]), None


class ZeroAgent:
    """Baseline that always takes the action zero, or the action nearest to it in the action space."""

    def __init__(self, action_space: spaces.Space[Any], num_envs: int) -> None:
        action = np.zeros(action_space.shape or (), dtype=action_space.dtype)
        # Spaces that may exclude zero.
        if isinstance(action_space, spaces.Box):
            action = np.clip(action, action_space.low, action_space.high)
        if isinstance(action_space, spaces.Discrete):
            action = action + action_space.start
        self._actions = np.stack([action] * num_envs)

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[NDArray[Any], None]:
        """Return the same action for each environment."""
        return self._actions.copy(), None


def baseline_agent(kind: str, action_space: spaces.Space[Any], num_envs: int, seed: int) -> Agent:
    """Return the baseline of that name. Raises `UnknownNameError` for an unknown one."""
    if kind == "random":
        return RandomAgent(action_space, num_envs, seed)
    if kind == "zero":
        return ZeroAgent(action_space, num_envs)
    raise UnknownNameError("agent", kind, (TRAINED, *BASELINES), where="--agent")
