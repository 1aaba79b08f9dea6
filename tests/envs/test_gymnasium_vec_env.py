"""Values that break Stable-Baselines3's vector environment are named; errors of the environment are its own."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor

from rl_pipeline.envs.gymnasium_envs.gymnasium_vec_env import GymnasiumVecEnv
from rl_pipeline.errors import InputError
from tests.support.odd_environments import VECTOR, OddEnv


class Observing(OddEnv):
    """Returns an observation of its own choice, whatever its space says."""

    def __init__(self, space: spaces.Space[Any], observation: Any) -> None:
        super().__init__(space)
        self.observation = observation

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.observation, {}


class Short(OddEnv):
    """Returns what environments of the old Gym did."""

    def step(self, action: Any) -> Any:
        return VECTOR.sample(), 1.0, False, {}


class Unpicklable(OddEnv):
    def step(self, action: Any) -> Any:
        return VECTOR.sample(), 1.0, False, False, {"generator": (number for number in range(3))}


def run(env: gymnasium.Env[Any, Any]) -> None:
    venv = GymnasiumVecEnv([lambda: Monitor(env)], make_error=InputError)
    venv.reset()
    venv.step(np.zeros((1, 2), np.float32))


@pytest.mark.parametrize(
    ("env", "fault"),
    [
        (
            Observing(VECTOR, np.zeros(4, np.float32)),
            r"expected an observation of shape \(3,\), found one of shape \(4,\)",
        ),
        (Observing(spaces.Dict({"a": VECTOR}), {"b": 1}), "expected 'a' among the observations, found b"),
        (Observing(spaces.Dict({"a": VECTOR}), {"a": [[1, 2], [3]]}), "expected an observation 'a' of shape"),
        (Observing(spaces.Dict({"a": VECTOR}), np.zeros(3)), "expected a dictionary as observation, found ndarray"),
        (OddEnv(reward="much"), "expected step.. to return a number as reward, found 'much'"),
        (Short(), "not enough values to unpack"),
        (Unpicklable(), "cannot pickle"),
    ],
    ids=str,
)
def test_returned_values_of_wrong_types_or_shapes_are_named(env: gymnasium.Env[Any, Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        run(env)


@pytest.mark.parametrize("error", [ValueError("broken"), TypeError("broken"), ConnectionError("broken")])
def test_errors_of_the_environment_pass(error: Exception) -> None:
    with pytest.raises(type(error), match="broken"):
        run(OddEnv(error=error))
