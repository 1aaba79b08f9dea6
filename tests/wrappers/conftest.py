from __future__ import annotations

import pytest
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv


@pytest.fixture
def pendulum() -> VecEnv:
    return make_vec_env("Pendulum-v1", n_envs=2, seed=1)
