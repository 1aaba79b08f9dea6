"""Keys that other libraries use for settings of this one, so that an error can name the key to use."""

from __future__ import annotations

from collections.abc import Mapping

from rl_pipeline.config.hyperparameters import POLICY_RANGES, RANGES

_ARCHITECTURE = ("net_arch", "activation_fn", "features_extractor_class", "features_extractor_kwargs")
_POLICY = ("ortho_init", "optimizer_class", "optimizer_kwargs", "use_expln", "lstm_kwargs", "enable_critic_lstm")
_PARAMETERS = ("policy", "action_noise", "use_sde", "use_sde_at_warmup", "normalize_advantage", "replay_buffer_class")
_TRAINING = ("seed", "device", "verbose", "log_interval", "total_timesteps", "use_wandb", "self_play", "callbacks")

FOREIGN_KEYS: Mapping[str, str] = {
    **{name: f"algorithm.parameters.{name}" for name in (*RANGES, *_PARAMETERS)},
    **{name: f"algorithm.architecture.policy_kwargs.{name}" for name in (*POLICY_RANGES, *_POLICY)},
    **{name: f"algorithm.architecture.{name}" for name in (*_ARCHITECTURE, "share_features_extractor")},
    **{name: f"training.{name}" for name in _TRAINING},
    "policy_kwargs": "algorithm.architecture.policy_kwargs",
    # Stable-Baselines3
    "env": "environment.id",
    "callback": "training.callbacks",
    "tensorboard_log": "experiment.directory",
    "progress_bar": "training.verbose",
    "eval_freq": "training.eval.num_evals",
    # RL Baselines3 Zoo
    "algo": "algorithm.name",
    "n_timesteps": "training.total_timesteps",
    "n_envs": "n_environments",
    "env_kwargs": "environment.env_config",
    "env_wrapper": "wrappers",
    "vec_env_wrapper": "wrappers",
    "normalize": "wrappers.normalize",
    "normalize_kwargs": "wrappers.normalize",
    "frame_stack": "wrappers.frame_stack",
    "noise_type": "algorithm.parameters.action_noise",
    "noise_std": "algorithm.parameters.action_noise",
    "trained_agent": "training.pretrained_model",
    # Gymnasium, CleanRL, Isaac Lab and rsl_rl
    "env_id": "environment.id",
    "env_name": "environment.id",
    "max_episode_steps": "environment.horizon",
    "num_envs": "n_environments",
    "num_steps": "algorithm.parameters.n_steps",
    "lr": "algorithm.parameters.learning_rate",
    "max_iterations": "training.total_timesteps",
    "exp_name": "experiment.name",
    "experiment_name": "experiment.name",
    "run_name": "experiment.name",
}
"""Name elsewhere -> key here."""
