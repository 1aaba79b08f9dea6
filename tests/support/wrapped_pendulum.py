"""Steps of the wrapped environments of tests/wrappers."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.wrappers import Use

TRAINING, JUDGING = Use(training=True), Use(training=False)


def act(venv: VecEnv, value: float = 0.5) -> Any:
    return venv.step(np.full((2, 1), value, np.float32))
