"""Clipping changes observations and their space."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.wrappers import wrap
from tests.support.wrapped_pendulum import JUDGING


def test_clipping_bounds_the_observations_and_their_space(pendulum: VecEnv) -> None:
    venv = wrap(pendulum, {"clip_observations": {"low": -0.2, "high": 0.2}}, JUDGING)
    assert isinstance(venv.observation_space, spaces.Box)
    assert venv.observation_space.high.max() == np.float32(0.2)
    assert np.abs(venv.reset()).max() <= 0.2
