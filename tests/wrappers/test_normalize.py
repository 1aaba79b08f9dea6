"""Statistics of the normaliser belong to the training."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.experiment.checkpoints.model_file import hand_over_statistics
from rl_pipeline.wrappers import wrap
from tests.support.wrapped_pendulum import JUDGING, TRAINING, act


def test_statistics_stand_still_while_judging_and_can_be_handed_over(pendulum: VecEnv) -> None:
    learned = wrap(pendulum, {"normalize": {}}, TRAINING)
    judged: Any = wrap(make_vec_env("Pendulum-v1", n_envs=2), {"normalize": {}}, JUDGING)
    learned.reset()
    for _ in range(20):
        act(learned)
    hand_over_statistics(learned, judged)
    before = judged.obs_rms.mean.copy()
    judged.reset()
    assert np.array_equal(judged.obs_rms.mean, before)
    assert not np.allclose(before, 0)
