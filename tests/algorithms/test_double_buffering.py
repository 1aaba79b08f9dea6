"""Rollouts that are collected half by half, against those of the whole batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rl_pipeline.algorithms.build import build, check
from rl_pipeline.config.schema import Config
from rl_pipeline.envs.factory import Environments, resolve_spaces
from rl_pipeline.errors import InputError

SMALL = {
    "environment": {"id": "Navigation-v0", "horizon": 7, "video_wrapper": False},
    "training": {"device": "cpu"},
    "simulation": {"n_environments": 4, "ros": {"tcp_port": 0}},
}


def small(double_buffer: bool, **sections: Any) -> Config:
    config = {**SMALL, **sections}
    return Config.model_validate(config | {"training": {**config["training"], "double_buffer": double_buffer}})


def rollout(directory: Path, config: Config) -> OnPolicyAlgorithm:
    """A model after one update, which in these algorithms follows one rollout; its policy does not explore."""
    with Environments(config, directory) as environments:
        model = build(config, environments.training())
        assert isinstance(model, OnPolicyAlgorithm)
        torch.nn.init.constant_(model.policy.log_std, -30.0)
        model.learn(model.n_steps * model.n_envs)
        return model


@pytest.mark.parametrize("algorithm", ["a2c", "ppo"])
def test_the_rollout_is_that_of_the_whole_batch(tmp_path: Path, algorithm: str) -> None:
    section = {"name": algorithm, "parameters": {"n_steps": 16}}
    whole = rollout(tmp_path / "whole", small(False, algorithm=section))
    buffered = rollout(tmp_path / "buffered", small(True, algorithm=section))
    assert type(buffered).__name__ == type(whole).__name__
    assert buffered.num_timesteps == whole.num_timesteps
    assert np.count_nonzero(whole.rollout_buffer.episode_starts) > 4
    for name in ("observations", "actions", "rewards", "episode_starts", "values", "advantages", "returns"):
        mine, theirs = (getattr(model.rollout_buffer, name) for model in (buffered, whole))
        np.testing.assert_allclose(mine, theirs, atol=1e-3, err_msg=name)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"algorithm": {"name": "sac"}}, "those that can are a2c, ppo, trpo"),
        ({"algorithm": {"name": "recurrent_ppo"}}, "those that can are a2c, ppo, trpo"),
        ({"algorithm": {"name": "ppo", "parameters": {"use_sde": True}}}, "algorithm.parameters.use_sde"),
        ({"wrappers": {"normalize": {}, "clip_rewards": None}}, "expected no wrappers, found normalize:"),
        ({"training": {"self_play": {"enabled": True}}}, "training.self_play"),
        ({"simulation": {"n_environments": 3}}, "an even number, found 3"),
        ({"simulation": {"n_environments": 6, "worlds_per_player": 2}}, "a multiple of 4 .*, found 6"),
    ],
)
def test_what_cannot_be_done_in_halves_is_said(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(small(True, **sections))


def test_environments_without_players_have_no_halves() -> None:
    with pytest.raises(InputError, match=r"training\.double_buffer: expected an environment on players"):
        resolve_spaces(small(True, environment={"id": "CartPole-v1"}))
