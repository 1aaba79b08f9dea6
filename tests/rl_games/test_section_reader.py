"""Every key of the files of rl_games, IsaacGymEnvs and Isaac Lab is translated, left out with a reason, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.rl_games.translation import Translation, translate
from tests.rl_games.conftest import PARAMS, changed
from tests.rl_games.test_translate import CONTINUOUS, SAC

CNN = {"type": "conv2d", "activation": "elu", "convs": [{"filters": 8, "kernel_size": 8, "strides": 4, "padding": 0}]}
RNN = {"name": "lstm", "units": 8, "layers": 1}
GAME = changed(config__env_name="atari_gym", config__env_config={"name": "PongNoFrameskip-v4"}, network__cnn=CNN)
RECURRENT = changed(network__rnn=RNN, network__separate=True)

TAKEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (PARAMS, {
        "load_checkpoint": False, "load_path": "nn/a.pth", "env": {"clip_observations": 5.0, "clip_actions": 1.0},
        "network__space": {"discrete": None}, "network__mlp__d2rl": False,
        "network__mlp__initializer": {"name": "default", "scale": 2}, "network__mlp__regularizer": {"name": "None"},
        "network__mlp__normalization": "layer_norm", "network__mlp__norm_only_first_layer": True,
        "network__value_shape": 1, "config__reward_shaper": {"scale_value": 0.1, "shift_value": 1, "min_val": -1,
        "max_val": 1}, "config__normalize_advantage": True, "config__normalize_input": True,
        "config__normalize_value": True, "config__value_bootstrap": True, "config__lr_schedule": "fixed",
        "config__kl_threshold": 0.01, "config__schedule_type": "standard", "config__score_to_win": 400,
        "config__grad_norm": 1.0, "config__truncate_grads": True, "config__entropy_coef": 0.0, "config__e_clip": 0.2,
        "config__clip_value": True, "config__critic_coef": 2, "config__max_frames": 10_000, "config__seq_length": 16,
        "config__seq_len": 4, "config__bptt_length": 16, "config__bounds_loss_coef": 0.0,
        "config__bound_loss_type": "regularization", "config__use_smooth_clamp": False, "config__save_best_after": 10,
        "config__games_to_track": 100, "config__full_experiment_name": "a", "config__train_dir": "runs",
        "config__multi_gpu": False, "config__mixed_precision": False, "config__ppo": True, "config__print_stats": True,
        "config__use_diagnostics": True, "config__weight_decay": 0.0, "config__zero_rnn_on_done": True,
        "config__use_action_masks": False, "config__ignore_dead_batches": False, "config__use_experimental_cv": False,
        "config__device_name": "cpu", "config__minibatch_size_per_env": 16, "config__force_interval_writer": True,
        "config__defer_summaries_sec": 5, "config__summaries_interval_sec_min": 5,
        "config__summaries_interval_sec_max": 300, "config__population_based_training": False, "config__pbt_idx": 0,
        "config__player__deterministic": True, "config__player__determenistic": True,
        "config__player__is_determenistic": True, "config__player__render": True, "config__player__render_sleep": 0.1,
        "config__player__n_game_life": 1, "config__player__print_stats": False, "config__player__num_actors": 64,
        "config__player__use_vecenv": True, "config__player__device_name": "cpu", "config__player__evaluation": False,
        "config__player__update_checkpoint_freq": 100, "config__player__dir_to_monitor": "a", "config__env_config": {},
        "config__schedule_entropy": False, "config__epochs_between_resets": 0, "config__clip_actions": True,
        "config__env_config__steps_limit": 100,
    }),
    (CONTINUOUS, {
        "network__space__continuous__mu_activation": "None", "network__space__continuous__sigma_activation": "None",
        "network__space__continuous__mu_init": {"name": "default", "scale": 0.02},
        "network__space__continuous__sigma_init": {"name": "const_initializer", "value": 0},
        "config__use_sde": True, "config__sde_frequency": 4,
    }),
    (RECURRENT, {"network__rnn__before_mlp": True, "network__rnn__layers": 2, "network__rnn__zero_rnn_on_done": True}),
    (GAME, {
        "config__env_config__skip": 4, "config__env_config__episode_life": True, "config__env_config__frames": 4,
        "config__env_config__has_lives": False, "config__env_config__episodic_life": True,
        "config__env_config__use_async": False, "config__env_config__repeat_action_probability": 0.0,
        "network__cnn__permute_input": True, "network__cnn__regularizer": {"name": "None"},
        "network__cnn__initializer": {"name": "default"}, "network__separate": True,
        "network__cnn": {"conv_depths": [8, 8], "activation": "relu"},
    }),
    (SAC, {
        "config__num_warmup_frames": 5000, "config__num_updates_per_step": 32, "config__utd_ratio": 1.0,
        "config__num_seed_steps": 5, "config__learnable_temperature": True, "config__max_frames": 1000,
        "config__normalize_input": True, "config__save_frequency": 1000, "network__separate": True,
    }),
]  # fmt: skip
LEFT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (PARAMS, {
        "torch_threads": 4, "env": {"obs_groups": {"obs": ["policy"]}}, "config__mixed_precision": True,
        "config__torch_compile": True, "config__use_action_masks": True, "config__value_bootstrap": False,
        "config__use_smooth_clamp": True, "config__bounds_loss_coef": 1e-3, "config__schedule_type": "legacy",
        "config__schedule_entropy": True, "config__ignore_dead_batches": True, "config__lr_schedule": "polynom_decay",
        "config__reward_shaper": {"log_val": True}, "config__player__n_game_life": 5, "config__delightful_pg": "curr",
        "config__clip_actions": False, "config__central_value_config1": {}, "config__zero_rnn_on_done": False,
        "config__env_config": {"seed": 5}, "network__rnn1": RNN, "network__normalization": "layer_norm",
        "network__require_rewards": True, "network__require_last_actions": True, "network__value_shape": 2,
        "network__mlp__initializer": {"name": "orthogonal_initializer", "gain": 1.4}, "config__freeze_critic": True,
    }),
    (CONTINUOUS, {
        "network__space__continuous__mu_init": {"name": "glorot_normal_initializer", "gain": 0.01},
        "network__space__continuous__fixed_sigma": False, "network__space__continuous__learn_sigma": False,
    }),
    (RECURRENT, {"network__rnn__name": "gru", "network__rnn__layer_norm": True, "network__rnn__concat_input": True}),
    (GAME, {
        "config__env_config__wrap_impala": True, "config__env_config__use_dict_obs_space": True,
        "network__cnn__initializer": {"name": "glorot_normal_initializer", "gain": 1.4},
        "config__normalize_input": True,
    }),
    (SAC, {
        "config__policy_frequency": 2, "config__critic_grad_clip": 5.0, "config__critic_lr": 1e-3,
        "config__alpha_lr": 5e-3, "network__log_std_bounds": [-5, 2], "network__normalization": "layer_norm",
        "config__target_entropy_coef": 0.5,
    }),
]  # fmt: skip
REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (PARAMS, {
        "load_checkpoint": True, "config__multi_gpu": True, "config__ppo": False,
        "config__self_play_config": {"update_score": 1}, "config__self_play": True,
        "config__central_value_config": {"network": {}}, "config__rnd_config": {"gamma": 0.99},
        "config__phasic_policy_gradients": {"n_aux": 16}, "config__distillation": {"loss": "kl"},
        "config__population_based_training": True, "config__num_actors": -1, "network__mlp__d2rl": True,
        "config__features": {"soft_augmentation": {"aug_coef": 0.001}}, "network__joint_obs_actions": {"mlp_scale": 4},
        "network__lstm": {"units": 128}, "network__inputs": {"goal_pose": {}}, "network__transformer": {"max_steps": 4},
    }),
    (SAC, {"network__rnn": RNN}),
]  # fmt: skip


def translated(base: dict[str, Any], key: str, value: Any) -> Translation:
    algorithm = "sac" if base is SAC else "ppo"
    return translate(changed(base, **{key: value}), "file.yaml", algorithm)


def cases(table: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[Any]:
    return [pytest.param(base, key, value, id=key) for base, keys in table for key, value in keys.items()]


@pytest.mark.parametrize(("base", "key", "value"), cases(TAKEN))
def test_a_key_that_is_translated_or_makes_no_difference_is_taken_in_silence(
    base: dict[str, Any], key: str, value: Any
) -> None:
    assert translated(base, key, value).left_out == ()


@pytest.mark.parametrize(("base", "key", "value"), cases(LEFT))
def test_a_key_without_a_counterpart_is_named_with_the_reason(base: dict[str, Any], key: str, value: Any) -> None:
    (line,) = translated(base, key, value).left_out
    names, _, reason = line.partition(": ")
    assert names.startswith(f"params.{key.replace('__', '.')}")
    assert reason


@pytest.mark.parametrize(("base", "key", "value"), cases(REFUSED))
def test_a_key_that_cannot_be_had_is_refused_by_its_name(base: dict[str, Any], key: str, value: Any) -> None:
    name = f"params.{key.replace('__', '.')}"
    with pytest.raises(InputError, match=f"file.yaml: {name}: .*(not supported; .|or --num_actors)"):
        translated(base, key, value)
