"""Translation of rl_games' files: the same training under this project's names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from rl_pipeline.config import Config
from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.stub_vec_env import build_for_spaces
from rl_pipeline.models.feature_extractors.base_extractor import BaseFeaturesExtractor
from rl_pipeline.rl_games import register_network
from rl_pipeline.rl_games.translation import translate
from tests.rl_games.conftest import EXAMPLES, PARAMS, changed

CONTINUOUS = changed(
    algo__name="a2c_continuous",
    model__name="continuous_a2c_logstd",
    config__env_name="Pendulum-v1",
    network__space={"continuous": {"fixed_sigma": True, "sigma_init": {"name": "const_initializer", "val": -1.0}}},
)


SAC = {
    "algo": {"name": "sac"},
    "model": {"name": "soft_actor_critic"},
    "network": {"name": "soft_actor_critic", "space": {"continuous": None}, "mlp": {"units": [32, 16]}},
    "config": {
        "env_name": "Pendulum-v1", "num_actors": 2, "num_steps_per_episode": 4, "num_warmup_steps": 5, "max_epochs": 50,
        "gamma": 0.98, "critic_tau": 0.01, "actor_lr": 5e-4, "critic_lr": 5e-4, "batch_size": 64,
        "replay_buffer_size": 1e4, "init_alpha": 0.5,
    },
}  # fmt: skip


def config_of(params: dict[str, Any], algorithm: str = "ppo", sigma: float | None = None) -> Config:
    return translate(params, "file.yaml", algorithm, sigma).config


def test_ppo_has_the_same_hyperparameters_in_its_own_units() -> None:
    params = changed(
        config__e_clip=0.3, config__clip_value=True, config__critic_coef=4.0, config__entropy_coef="1e-3",
        config__truncate_grads=True, config__grad_norm=0.7, config__normalize_advantage=False,
        config__games_to_track=20,
    )  # fmt: skip
    assert config_of(params).algorithm.parameters == {
        "n_steps": 32, "batch_size": 32, "n_epochs": 1, "learning_rate": 1e-3, "gamma": 0.99, "gae_lambda": 0.9,
        "clip_range": 0.3, "clip_range_vf": 0.3, "normalize_advantage": False, "ent_coef": 1e-3, "vf_coef": 2.0,
        "max_grad_norm": 0.7, "stats_window_size": 20,
    }  # fmt: skip


def test_the_run_has_the_same_length_seed_and_checkpoints() -> None:
    training = config_of(PARAMS).training
    assert (training.total_timesteps, training.seed, training.save_freq) == (4 * 64, 3, 2 * 64)
    assert config_of(changed(config__max_frames=100)).training.total_timesteps == 100
    assert config_of(changed(config__max_epochs=None, config__max_frames=1e3)).training.total_timesteps == 1000
    assert config_of(changed(config__minibatch_size=None, config__minibatch_size_per_env=8)).algorithm.parameters[
        "batch_size"
    ] == 16  # fmt: skip


def test_sac_takes_a_step_of_all_actors_and_an_update() -> None:
    config = config_of(SAC, "sac")
    assert config.algorithm.parameters == {
        "learning_rate": 5e-4, "gamma": 0.98, "tau": 0.01, "batch_size": 64, "buffer_size": 10_000,
        "learning_starts": 40, "train_freq": 1, "gradient_steps": 1, "ent_coef": "auto_0.5", "stats_window_size": 100,
    }  # fmt: skip
    assert config.training.total_timesteps == 400
    assert config.algorithm.architecture.net_arch == [32, 16]
    build_for_spaces(config, *resolve_spaces(config))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("None", 1e-3),
        ("linear", {"schedule": "linear", "initial": 1e-3, "final": 1e-6}),
        (
            "adaptive",
            {"schedule": "adaptive", "initial": 1e-3, "kl_threshold": 0.008, "lowest": 1e-6, "highest": 1e-2},
        ),
    ],
)
def test_learning_rates_follow_their_schedule(schedule: str, expected: Any) -> None:
    params = changed(config__lr_schedule=schedule)
    assert config_of(params).algorithm.parameters["learning_rate"] == expected


@pytest.mark.parametrize("separate", [True, False])
def test_policy_and_value_function_share_their_layers_unless_they_are_separate(separate: bool) -> None:
    config = config_of(changed(network__separate=separate, network__mlp__units=[24, 8]))
    policy = build_for_spaces(config, *resolve_spaces(config)).policy
    shared = [
        tuple(layer.weight.shape) for layer in policy.features_extractor.modules() if isinstance(layer, nn.Linear)
    ]
    own = [tuple(layer.weight.shape) for layer in policy.mlp_extractor.modules() if isinstance(layer, nn.Linear)]
    layers = [(24, 4), (8, 24)]
    assert (shared, own) == (([], layers * 2) if separate else (layers, []))


def test_actions_begin_with_the_deviation_of_the_file_or_of_sigma() -> None:
    for sigma, expected in ((None, -1.0), (0.5, 0.5)):
        config = config_of(CONTINUOUS, sigma=sigma)
        assert build_for_spaces(config, *resolve_spaces(config)).policy.log_std.item() == expected


def test_a_registered_network_gets_the_keys_of_its_section() -> None:
    class Widened(BaseFeaturesExtractor):
        def __init__(self, observation_space: Any, width: int) -> None:
            super().__init__(observation_space, width)
            self.layer = nn.Linear(4, width)

        def forward(self, observations: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.layer(observations)
            return result

    register_network("widened", Widened)
    config = config_of(changed(network={"name": "widened", "width": 12}))
    assert isinstance(build_for_spaces(config, *resolve_spaces(config)).policy.features_extractor, Widened)
    with pytest.raises(InputError, match="unknown network 'widen'; did you mean 'widened'"):
        config_of(changed(network__name="widen"))


def test_what_makes_no_difference_is_silent_and_what_has_no_counterpart_is_named() -> None:
    silent = changed(
        config__ppo=True, config__multi_gpu=False, config__kl_threshold=0.008, config__bounds_loss_coef=0.0,
        config__value_bootstrap=True, config__player__use_vecenv=True, network__mlp__regularizer={"name": "None"},
    )  # fmt: skip
    assert translate(silent, "file.yaml", "ppo").left_out == ()
    named = changed(config__bounds_loss_coef=1e-4, config__mixed_precision=True, config__player__n_game_life=3)
    left_out = " ".join(translate(named, "file.yaml", "ppo").left_out)
    for key in ("params.config.bounds_loss_coef", "params.config.mixed_precision", "params.config.player.n_game_life"):
        assert key in left_out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config__gama": 0.9}, "file.yaml: unknown key 'params.config.gama'; did you mean 'gamma'"),
        ({"network__mlp__unit": [3]}, "unknown key 'params.network.mlp.unit'; did you mean 'units'"),
        ({"config__player__games": 3}, "unknown key 'params.config.player.games'; did you mean 'games_num'"),
        ({"config__horizon_length": "long"}, "params.config.horizon_length: expected a whole number, found 'long'"),
        ({"config__gamma": None}, "params.config.gamma: expected a value, found none"),
        ({"config__num_actors": 0}, "params.config.num_actors: expected at least 1, or --num_actors, found 0"),
        ({"config__minibatch_size": 48}, r"minibatch_size: expected a divisor of .* \(64\), found 48"),
        ({"config__max_epochs": -1}, "expected max_epochs or max_frames above 0, or score_to_win, found none"),
        (
            {"config__env_name": "CartPoel-v1"},
            "params.config.env_name: unknown environment 'CartPoel-v1'; did you mean",
        ),
        ({"config__lr_schedule": "cosine"}, "params.config.lr_schedule: unknown schedule 'cosine'"),
        ({"config__self_play": True}, "params.config.self_play: true is not supported; for self-play use rl-pipeline"),
        ({"config__ppo": False}, "params.config.ppo: false is not supported; for A2C"),
        ({"config__central_value_config": {"mlp": {}}}, "central_value_config: .* is not supported"),
        ({"network__rnn": {"name": "lstm"}}, "params.network.rnn.units: expected a value, found none"),
        (
            {"network__rnn": {"name": "lstn", "units": 8}},
            "rnn.name: unknown recurrent layer 'lstn'; did you mean 'lstm'",
        ),
        ({"network__cnn": {"type": "conv1d"}}, "cnn.type: unknown kind of convolution 'conv1d'; did you mean 'conv2d'"),
        ({"network__name": "moe"}, "params.network.name: expected actor_critic or one added with register_network"),
        (
            {"config__env_name": "rlgpu"},
            "env_name: 'rlgpu' stands for a simulator that does not come with this project",
        ),
        ({"network__mlp__activation": "rleu"}, "unknown activation 'rleu'; did you mean 'relu'"),
        ({"network__mlp__units": []}, "params.network.mlp.units: expected the widths of the layers"),
        ({"model__name": "discrete_a2"}, "params.model.name: unknown model 'discrete_a2'; did you mean 'discrete_a2c'"),
        ({"config__player": 3}, "params.config.player: expected a section of keys, found 3"),
        ({"load_checkpoint": True}, "params.load_checkpoint: true is not supported; give the model with --checkpoint"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        config_of(changed(**changes))


def test_sigma_needs_a_network_with_continuous_actions() -> None:
    with pytest.raises(InputError, match=r"--sigma: needs a network with space.continuous.fixed_sigma"):
        config_of(PARAMS, sigma=0.0)


@pytest.mark.parametrize("name", ["cartpole", "navigation"])
def test_the_shipped_files_leave_nothing_out(name: str) -> None:
    path: Path = EXAMPLES / f"{name}.yaml"
    translation = translate(yaml.safe_load(path.read_text())["params"], str(path), "ppo")
    assert translation.left_out == ()
    build_for_spaces(translation.config, *resolve_spaces(translation.config))


def test_the_folder_of_runs_is_below_home_where_the_file_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert translate(changed(config__train_dir="~/runs"), "f.yaml", "ppo", None).run.train_dir == Path("/home/me/runs")
    with pytest.raises(InputError, match=r"f.yaml: params.config.train_dir: expected a path of this system"):
        translate(changed(config__train_dir="C:/runs"), "f.yaml", "ppo", None)
