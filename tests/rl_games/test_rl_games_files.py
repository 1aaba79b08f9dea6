"""Files as rl_games' users have them: generic names, convolutions, LSTMs, runs that a score ends, repeated keys."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from stable_baselines3.common.policies import BasePolicy
from torch import nn

from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.stub_vec_env import build_for_spaces
from rl_pipeline.rl_games.translation import translate
from rl_pipeline.rl_games.translation.ppo_sac import MAX_FRAMES
from tests.rl_games.conftest import PARAMS, changed
from tests.rl_games.test_rl_games_keys import CNN, GAME
from tests.rl_games.test_translation import SAC, config_of


def policy_of(params: dict[str, Any]) -> BasePolicy:
    config = config_of(params)
    policy = build_for_spaces(config, *resolve_spaces(config)).policy
    assert isinstance(policy, BasePolicy)
    return policy


@pytest.mark.parametrize(
    ("env_name", "env_config", "found"),
    [
        ("gymnasium", {"env_name": "CartPole-v1"}, "CartPole-v1"),
        ("openai_gym", {"name": "CartPole-v1"}, "CartPole-v1"),
        ("envpool", {"env_name": "CartPole-v1", "seed": 3}, "CartPole-v1"),
        ("envpool", {"env_name": "Pong-v5", "has_lives": False}, "ALE/Pong-v5"),
        ("Pong-v5", {}, "ALE/Pong-v5"),
        ("PongNoFrameskip-v4", {"env_name": "PongNoFrameskip-v4"}, "PongNoFrameskip-v4"),
    ],
)
def test_generic_names_mean_environments_of_gymnasium(env_name: str, env_config: dict[str, Any], found: str) -> None:
    environment = config_of(changed(config__env_name=env_name, config__env_config=env_config)).environment
    assert (environment.id, environment.env_config) == (found, None)


def test_limits_and_stacks_of_environments_are_this_projects() -> None:
    params = changed(
        config__env_name="openai_gym", config__env_config={"name": "CartPole-v1", "frames": 2, "steps_limit": 9}
    )
    config = config_of(params)
    assert config.environment.horizon == 9
    assert config.wrappers["frame_stack"] == {"n_stack": 2}
    assert resolve_spaces(config)[0].shape == (4,)


def test_observations_are_clipped_as_isaac_lab_clips_them_before_they_are_normalised() -> None:
    wrappers = config_of(changed(env={"clip_observations": 5.0}, config__normalize_input=True)).wrappers
    assert list(wrappers) == ["clip_observations", "normalize"]
    assert wrappers["clip_observations"] == {"low": -5.0, "high": 5.0}
    assert "clip_observations" not in config_of(changed(env={"clip_observations": float("inf")})).wrappers


def test_without_a_number_of_actors_there_is_one() -> None:
    assert config_of(changed(config__num_actors=None)).simulation.n_environments == 1


def test_a_score_alone_ends_a_run_whose_learning_rate_then_stays() -> None:
    params = changed(config__max_epochs=None, config__score_to_win=400, config__lr_schedule="linear")
    translation = translate(params, "file.yaml", "ppo")
    assert translation.run.score_to_win == 400
    assert translation.config.training.total_timesteps == MAX_FRAMES
    assert translation.config.algorithm.parameters["learning_rate"] == 1e-3
    assert any("score_to_win ends the run" in line for line in translation.left_out)


def test_sac_updates_as_often_as_the_file_says() -> None:
    for keys, updates in (({"config__num_updates_per_step": 8}, 8), ({"config__utd_ratio": 1.0}, 2), ({}, 1)):
        parameters = config_of(changed(SAC, **keys), "sac").algorithm.parameters
        assert parameters["gradient_steps"] == updates
    parameters = config_of(changed(SAC, config__num_warmup_frames=500), "sac").algorithm.parameters
    assert parameters["learning_starts"] == 500


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


def test_a_hyperparameter_out_of_range_is_named_as_in_the_file() -> None:
    with pytest.raises(InputError, match=r"^file.yaml: params.config.tau: expected .* found 1.5"):
        config_of(changed(config__tau=1.5))
    with pytest.raises(InputError, match=r"^file.yaml: params.config.critic_tau: expected .* found 2"):
        config_of(changed(SAC, config__critic_tau=2.0), "sac")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config__num_actors": 8192}, "params.config.num_actors: expected .* found 8192"),
        ({"seed": -1}, "params.seed: expected .* found -1"),
        ({"config__device": "tpu"}, "params.config.device: expected .* found 'tpu'"),
        ({"config__full_experiment_name": "a/b"}, "params.config.full_experiment_name: expected a folder name"),
    ],
)
def test_a_setting_out_of_range_is_named_as_in_the_file(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        config_of(changed(**changes))


def test_of_a_key_that_is_given_twice_the_last_counts(
    place: Path, command: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    text = yaml.safe_dump({"params": changed(config__max_epochs=1, config__full_experiment_name="twice")})
    (place / "twice.yaml").write_text(text.replace("  config:\n", "  config:\n    mini_epochs: 0\n"))
    with caplog.at_level(logging.WARNING):
        assert command("runner", "--train", "--file", "twice.yaml") == 0
    assert any(
        re.fullmatch(r"twice.yaml: line \d+: mini_epochs is given again; the last counts", m) for m in caplog.messages
    )


def test_references_within_a_file_are_followed_and_those_out_of_it_are_all_named(
    place: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    params = changed(seed="${...seed}", config__minibatch_size="${.horizon_length}", config__name="${resolve:A,${..a}}")
    (place / "outside.yaml").write_text(yaml.safe_dump({"params": params}))
    assert command("runner", "--train", "--file", "outside.yaml") == 2
    said = capsys.readouterr().err
    assert "outside.yaml: params.seed: ${...seed} refers to what is not in this file; expected a value" in said
    assert "outside.yaml: params.config.name: ${resolve:A,${..a}} refers to" in said
    assert "minibatch_size" not in said
