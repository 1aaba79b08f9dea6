from __future__ import annotations

import logging
from typing import Any

import pytest
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.envs import BitFlippingEnv

from rl_pipeline.algorithms.build import build
from rl_pipeline.config.schema import Config

EPISODE = 12


def config(**parameters: Any) -> Config:
    hindsight = {"replay_buffer_class": "her", "learning_starts": 0, "buffer_size": 200, "batch_size": 8}
    return Config.model_validate({"algorithm": {"name": "sac", "parameters": {**hindsight, **parameters}}})


def test_updates_wait_for_the_first_episode_that_ends(caplog: pytest.LogCaptureFixture) -> None:
    options = {"n_bits": 30, "continuous": True, "max_steps": EPISODE}
    model: Any = build(config(), make_vec_env(BitFlippingEnv, n_envs=2, seed=0, env_kwargs=options))
    with caplog.at_level(logging.WARNING):
        model.learn(4 * EPISODE)
    # Both environments end their first episode with the same step; an update follows that one and each after it.
    assert model._n_updates == EPISODE + 1
    assert [record.message for record in caplog.records] == [
        "algorithm.parameters.learning_starts: no episode has ended after 2 steps; collecting without updates until "
        "one has"
    ]
    assert type(model).__name__ == "SAC"
