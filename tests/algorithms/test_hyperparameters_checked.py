from __future__ import annotations

from typing import Any

import pytest
from stable_baselines3 import SAC

from rl_pipeline.algorithms.build import check
from rl_pipeline.algorithms.hyperparameters import checked_hyperparameters
from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError, UnknownNameError


def config(name: str, parameters: dict[str, Any] | None = None, **architecture: Any) -> Config:
    algorithm = {"name": name, "parameters": parameters or {}, "architecture": architecture}
    return Config.model_validate({"algorithm": algorithm})


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("ppo", {"batchsize": 3}, r"algorithm.parameters.batchsize: unknown hyperparameter of PPO .*'batch_size'"),
        ("sac", {"clip_range": 0.2}, r"algorithm.parameters.clip_range: unknown hyperparameter of SAC"),
        ("ppo", {"policy": "MlpPolic"}, r"algorithm.parameters.policy: unknown policy of PPO 'MlpPolic'.*'MlpPolicy'"),
        ("recurrent_ppo", {"policy": "MlpPolicy"}, r"did you mean 'MlpLstmPolicy'"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        check(config(name, parameters))


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("ppo", {"seed": 1}, r"algorithm.parameters.seed: set training.seed instead"),
        ("ppo", {"policy_kwargs": {}}, r"set algorithm.architecture instead"),
        ("sac", {"train_freq": [1, "minute"]}, r"train_freq: expected a number or \[number, step\|episode\]"),
        ("ppo", {"learning_rate": {"from": 1}}, r"learning_rate.from: unknown setting of a schedule 'from'"),
        ("sac", {"replay_buffer_class": "Mine"}, r"replay_buffer_class: expected null, found 'Mine'"),
        ("ppo", {"gamma": "abc"}, r"gamma: expected a number, found 'abc'"),
        ("ppo", {"gamma": float("nan")}, r"gamma: expected a number, found nan"),
        ("ppo", {"n_steps": 2.5}, r"n_steps: expected a whole number, found 2.5"),
        ("ppo", {"use_sde": 1}, r"use_sde: expected true or false, found 1"),
        ("sac", {"batch_size": [64]}, r"batch_size: expected a whole number, found \[64\]"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(config(name, parameters))


def test_numbers_are_taken_as_yaml_writes_them() -> None:
    taken = checked_hyperparameters(SAC, {"buffer_size": 1e6, "learning_rate": 1, "ent_coef": "auto", "tau": 1})
    assert taken == {"buffer_size": 1_000_000, "learning_rate": 1, "ent_coef": "auto", "tau": 1}
    assert isinstance(taken["buffer_size"], int)


@pytest.mark.parametrize(
    ("name", "architecture", "message"),
    [
        ("sac", {"net_arch": {"pi": [8], "vf": [8]}}, r"net_arch.vf: unknown network of SAC 'vf'"),
        ("td3", {"net_arch": {"pi": [8]}}, r"TD3 needs pi and qf; qf is missing"),
        ("dqn", {"net_arch": {"pi": [8]}}, r"DQN has one network: expected a list"),
        ("ppo", {"activation_fn": "Relu"}, r"activation_fn: unknown activation function 'Relu'; did you mean 'ReLU'"),
        ("ppo", {"features_extractor_class": "ResnetMPL"}, r"unknown feature extractor .*did you mean 'ResnetMLP'"),
        ("ppo", {"features_extractor_kwargs": {"features_dim": 3}}, r"needs features_extractor_class"),
        ("dqn", {"share_features_extractor": True}, r"share_features_extractor: unknown setting of DQN's MlpPolicy"),
        ("ppo", {"policy_kwargs": {"log_std": 0}}, r"log_std: unknown setting of PPO's .*'log_std_init'"),
    ],
)
def test_an_architecture_that_does_not_suit_is_refused(name: str, architecture: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(config(name, **architecture))
