"""Gymnasium environments with unusual spaces, rewards and infos, for tests of what a user may bring."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

VECTOR = spaces.Box(-1.0, 1.0, (3,), np.float32)
CAMERA = spaces.Box(0, 255, (64, 64, 3), np.uint8)
TORQUES = spaces.Box(-1.0, 1.0, (2,), np.float32)


class OddEnv(gymnasium.Env[Any, Any]):
    """Observes random samples of its space; every reward and info is the same, and an episode has ten steps."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (Gymnasium's attribute)

    def __init__(
        self,
        observation: spaces.Space[Any] = VECTOR,
        action: spaces.Space[Any] = TORQUES,
        reward: Any = 1.0,
        info: dict[str, Any] | None = None,
        error: Exception | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.observation_space, self.action_space = observation, action
        self.reward, self.info, self.error = reward, info or {}, error

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        if self.error is not None:
            raise self.error
        self.steps += 1
        return self.observation_space.sample(), self.reward, self.steps >= 10, False, dict(self.info)


def register(name: str, **options: Any) -> str:
    """Register an environment as `Odd/<name>-v0`, once, and return its id."""
    env_id = f"Odd/{name}-v0"
    if env_id not in gymnasium.registry:
        gymnasium.register(env_id, OddEnv, kwargs=options, disable_env_checker=True)
    return env_id


SUCCESSFUL = register("Successful", info={"is_success": np.array([True])})
