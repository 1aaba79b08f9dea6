"""Networks of rl_games' files: convolutions, residual ones, recurrent layers."""

from __future__ import annotations

from typing import Any

import pytest
from stable_baselines3.common.policies import BasePolicy
from torch import nn

from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.evaluation.stub_vec_env import build_for_spaces
from tests.rl_games.conftest import PARAMS, changed
from tests.rl_games.test_section_reader import CNN, GAME
from tests.rl_games.test_translate import config_of


def policy_of(params: dict[str, Any]) -> BasePolicy:
    config = config_of(params)
    policy = build_for_spaces(config, *resolve_spaces(config)).policy
    assert isinstance(policy, BasePolicy)
    return policy


@pytest.mark.parametrize("separate", [False, True])
def test_images_get_the_convolutions_of_the_file(separate: bool) -> None:
    policy = policy_of(changed(GAME, network__separate=separate, config__normalize_input=True))
    layers = [module for module in policy.features_extractor.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert [type(layer) for layer in layers] == [nn.Conv2d, nn.Linear]
    assert layers[0].weight.shape == (8, 4, 8, 8)
    assert policy.share_features_extractor is not separate


def test_the_residual_network_of_rl_games_is_that_of_impala() -> None:
    network = {"name": "resnet_actor_critic", "cnn": {"conv_depths": [4, 8]}, "mlp": {"units": [16]}}
    policy = policy_of(changed(GAME, network=network))
    assert type(policy.features_extractor).__name__ == "ImpalaCNN"


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("before_mlp", [False, True])
@pytest.mark.parametrize("params", [PARAMS, changed(GAME, network__cnn=CNN)], ids=["vector", "image"])
def test_a_recurrent_layer_is_an_lstm_of_the_same_width(
    params: dict[str, Any], before_mlp: bool, separate: bool
) -> None:
    rnn = {"name": "lstm", "units": 8, "layers": 2, "before_mlp": before_mlp}
    params = changed(params, network__rnn=rnn, network__separate=separate, config__seq_length=16)
    assert config_of(params).algorithm.name == "recurrent_ppo"
    policy: Any = policy_of(params)
    assert (policy.lstm_actor.hidden_size, policy.lstm_actor.num_layers) == (8, 2)
    assert (policy.lstm_critic is not None) is separate
    inner = [layer.out_features for layer in policy.mlp_extractor.modules() if isinstance(layer, nn.Linear)]
    assert inner == ([16, 16] if before_mlp else [])
