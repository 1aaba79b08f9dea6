from __future__ import annotations

from typing import Any

import pytest
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike
from stable_baselines3.common.torch_layers import NatureCNN

from rl_pipeline.algorithms import find_algorithm
from rl_pipeline.algorithms.architecture import policy_kwargs
from rl_pipeline.algorithms.build import check
from rl_pipeline.algorithms.hyperparameters import checked_hyperparameters
from rl_pipeline.config.schema import ArchitectureConfig, Config
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
        ("ppo", {"gamma": "abc"}, r"gamma: expected a number from 0 to 1, found 'abc'"),
        ("ppo", {"gamma": float("nan")}, r"gamma: expected a number from 0 to 1, found nan"),
        ("ppo", {"n_steps": 2.5}, r"n_steps: expected a whole number of at least 1, found 2.5"),
        ("ppo", {"use_sde": 1}, r"use_sde: expected true or false, found 1"),
        ("sac", {"batch_size": [64]}, r"batch_size: expected a whole number of at least 1, found \[64\]"),
        ("td3", {"n_timesteps": 3e5}, r"n_timesteps: set training.total_timesteps instead"),
        ("td3", {"noise_type": "normal"}, r"noise_type: set algorithm.parameters.action_noise instead"),
        ("ppo", {"normalize": True}, r"normalize: set wrappers.normalize instead"),
        ("ppo", {"n_envs": 4}, r"n_envs: set n_environments instead"),
        ("ppo", {"lr": 1e-3}, r"lr: set algorithm.parameters.learning_rate instead"),
        ("ppo", {"net_arch": [8]}, r"net_arch: set algorithm.architecture.net_arch instead"),
        ("sac", {"action_noise": {"normal": -1}}, r"action_noise.normal: expected sigma to be a number of at least 0"),
        ("sac", {"action_noise": {"normal": {"mean": 0}}}, r"action_noise.normal: expected sigma, the standard dev"),
        ("sac", {"replay_buffer_kwargs": {"n_goals": 4}}, r"unknown setting of the replay buffer 'n_goals'"),
        ("sac", {"replay_buffer_class": "her", "replay_buffer_kwargs": {"n_sampled_goal": 0}}, r"n_sampled_goal"),
        ("sac", {"optimize_memory_usage": True}, r"needs replay_buffer_kwargs: {handle_timeout_termination: false}"),
        ("ppo", {"rollout_buffer_kwargs": {"gamma": 0.9}}, r"rollout_buffer_kwargs: expected null, found {'gamma'"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(config(name, parameters))


def test_all_hyperparameters_at_fault_are_listed_together() -> None:
    parameters = {"n_timesteps": 3e5, "noise_type": "normal", "gamma": 2, "n_envs": 4, "action_noise": {"normal": -1}}
    with pytest.raises(InputError) as refused:
        check(config("td3", parameters, net_arch={"pi": [8]}, activation_fn="Relu"))
    assert [line.partition(": ")[0] for line in str(refused.value).splitlines()] == [
        *(f"algorithm.parameters.{name}" for name in parameters if name != "action_noise"),
        "algorithm.parameters.action_noise.normal",
        "algorithm.architecture.net_arch",
        "algorithm.architecture.activation_fn",
    ]


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
        ("ppo", {"policy_kwargs": {"optimizer_class": "AdmaW"}}, r"unknown optimizer 'AdmaW'; did you mean 'AdamW'"),
        ("ppo", {"policy_kwargs": {"optimizer_class": "LBFGS"}}, r"unknown optimizer 'LBFGS'"),
        ("ppo", {"activation_fn": "GLU"}, r"activation_fn: unknown activation function 'GLU'; did you mean"),
        ("ppo", {"policy_kwargs": {"log_std_init": 1e6}}, r"log_std_init: expected a number from -20 to 20, found"),
        ("ppo", {"policy_kwargs": {"optimizer_class": 3}}, r"optimizer_class: expected the name of a class, found 3"),
        ("ppo", {"policy_kwargs": {"activation_fn": "Relu"}}, r"policy_kwargs.activation_fn: .*mean 'ReLU'"),
        ("ppo", {"policy_kwargs": {"features_extractor_class": "A"}}, r"policy_kwargs.features_extractor_class: unk"),
        ("ppo", {"policy_kwargs": {"optimizer_kwargs": {"eps_": 1}}}, r"optimizer_kwargs.eps_: unknown setting of A"),
        ("ppo", {"policy_kwargs": {"optimizer_kwargs": {"lr": 1}}}, r"lr: set algorithm.parameters.learning_rate"),
        ("ppo", {"policy_kwargs": {"net_arch": "wide"}}, r"policy_kwargs.net_arch: expected a list of layer sizes"),
        ("ppo", {"policy_kwargs": {"use_sde": True}}, r"use_sde: set algorithm.parameters.use_sde instead"),
        ("sac", {"policy_kwargs": {"n_critics": 0}}, r"n_critics: expected a whole number of at least 1, found 0"),
        ("ars", {"features_extractor_class": "MLP"}, r"features_extractor_class: unknown setting of ARS's MlpPolicy"),
        (
            "ppo",
            {"features_extractor_class": "ResnetMLP", "features_extractor_kwargs": {"blocks": 2}},
            r"features_extractor_kwargs.blocks: unknown setting of ResnetMLP 'blocks'; did you mean 'num_blocks'",
        ),
    ],
)
def test_an_architecture_that_does_not_suit_is_refused(name: str, architecture: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(config(name, **architecture))


@pytest.mark.parametrize(
    ("name", "architecture", "expected"),
    [
        ("ars", {"net_arch": [16]}, {"net_arch": [16]}),
        ("ppo", {"policy_kwargs": {"optimizer_class": "AdamW"}}, {"optimizer_class": torch.optim.AdamW}),
        ("a2c", {"policy_kwargs": {"optimizer_class": "RMSpropTFLike"}}, {"optimizer_class": RMSpropTFLike}),
        ("ppo", {"policy_kwargs": {"activation_fn": "nn.ReLU"}}, {"activation_fn": torch.nn.ReLU}),
        ("ppo", {"features_extractor_class": "NatureCNN"}, {"features_extractor_class": NatureCNN}),
        ("ppo", {"policy_kwargs": {"net_arch": [{"pi": [8], "vf": [4]}]}}, {"net_arch": {"pi": [8], "vf": [4]}}),
        ("tqc", {"policy_kwargs": {"n_quantiles": 10}}, {"n_quantiles": 10}),
    ],
)
def test_names_of_classes_become_classes(name: str, architecture: dict[str, Any], expected: dict[str, Any]) -> None:
    algorithm = find_algorithm(name).load()
    settings = ArchitectureConfig.model_validate(architecture)
    taken = policy_kwargs(algorithm, next(iter(algorithm.policy_aliases)), settings)
    assert {key: taken[key] for key in expected} == expected
