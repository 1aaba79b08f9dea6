"""The hyperparameters of the `config` section, under the names and in the units of Stable-Baselines3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.runner.translation.keys import Keys

UNCLIPPED: Final = 1e9
"""A gradient's norm that none exceeds."""
LOWEST_RATE, HIGHEST_RATE = 1e-6, 1e-2
"""What rl_games keeps a learning rate within."""

PPO_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "ppo": (True,), "normalize_rms_advantage": (False,), "value_bootstrap": (True,), "use_smooth_clamp": (False,),
    "bounds_loss_coef": (0,), "bound_loss_type": ("bound", "regularisation"), "seq_length": (4,), "seq_len": (4,),
    "bptt_length": (4,), "zero_rnn_on_done": (True,), "clip_actions": (True,), "schedule_type": ("standard",),
    "schedule_entropy": (False,), "adv_rms_momentum": (0.5,),
}  # fmt: skip
SAC_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "num_seed_steps": (), "max_env_steps": (), "target_entropy_coef": (1,), "actor_betas": ([0.9, 0.999],),
    "critic_betas": ([0.9, 0.999],), "alphas_betas": ([0.9, 0.999],), "actor_update_frequency": (1,),
    "critic_target_update_frequency": (1,),
}  # fmt: skip
REFUSED: Final[Mapping[str, str]] = {
    "ppo": "for A2C without clipping use rl-pipeline train algorithm=a2c",
}


def ppo_parameters(config: Keys) -> tuple[dict[str, Any], int]:
    """PPO's keyword arguments, and the frames of one epoch.

    An epoch is a rollout of `horizon_length` steps of all actors and the updates from it. rl_games halves its value
    loss, so that `critic_coef` 2 is `vf_coef` 1.

    Raises:
        InputError: a key is missing or has a value that cannot be meant.
    """
    actors = config.whole("num_actors", least=1)
    horizon = config.whole("horizon_length", least=1)
    clip = config.number("e_clip", 0.2)
    frames = horizon * actors
    parameters = {
        "n_steps": horizon,
        "batch_size": _minibatch(config, frames, actors),
        "n_epochs": config.whole("mini_epochs", least=1),
        "learning_rate": _learning_rate(config),
        "gamma": config.number("gamma"),
        "gae_lambda": config.number("tau"),
        "clip_range": clip,
        "clip_range_vf": clip if config.flag("clip_value", False) else None,
        "normalize_advantage": config.flag("normalize_advantage", True),
        "ent_coef": config.number("entropy_coef", 0.0),
        "vf_coef": config.number("critic_coef", 1.0) / 2.0,
        "max_grad_norm": config.number("grad_norm", 1.0) if config.flag("truncate_grads", False) else UNCLIPPED,
        "stats_window_size": config.whole("games_to_track", 100, least=1),
    }
    config.number("grad_norm", None)
    return parameters, frames


def sac_parameters(config: Keys) -> tuple[dict[str, Any], int]:
    """SAC's keyword arguments, and the frames of one epoch: `num_steps_per_episode` steps of all actors.

    As in rl_games, each step of all actors is followed by one update. Stable-Baselines3 has one learning rate for
    actor, critic and temperature: the actor's.

    Raises:
        InputError: a key is missing or has a value that cannot be meant.
    """
    frames = config.whole("num_actors", least=1) * config.whole("num_steps_per_episode", 1, least=1)
    rate, alpha = config.number("actor_lr"), config.number("init_alpha", 1.0)
    for name in ("critic_lr", "alpha_lr"):
        if (other := config.number(name, rate)) != rate:
            config.leave(name, f"{other:g} is not used: one learning rate for all, that of actor_lr, {rate:g}")
    parameters = {
        "learning_rate": rate,
        "gamma": config.number("gamma"),
        "tau": config.number("critic_tau"),
        "batch_size": config.whole("batch_size", least=1),
        "buffer_size": config.whole("replay_buffer_size", least=1),
        "learning_starts": config.whole("num_warmup_steps", 0, least=0) * frames,
        "train_freq": 1,
        "gradient_steps": 1,
        "ent_coef": f"auto_{alpha}" if config.flag("learnable_temperature", True) else alpha,
        "stats_window_size": config.whole("games_to_track", 100, least=1),
    }
    return parameters, frames


def _minibatch(config: Keys, frames: int, actors: int) -> int:
    per_actor = config.whole("minibatch_size_per_env", 0, least=0)
    size = config.whole("minibatch_size", actors * per_actor or None, least=1)
    if size is None:
        raise InputError(f"{config.where('minibatch_size')}: expected a value, found none")
    if frames % size:
        raise InputError(
            f"{config.where('minibatch_size')}: expected a divisor of horizon_length x num_actors ({frames}), "
            f"found {size}"
        )
    return int(size)


def _learning_rate(config: Keys) -> float | dict[str, Any]:
    rate = config.number("learning_rate")
    schedule = config.text("lr_schedule", "constant")
    low, high = config.number("min_lr", LOWEST_RATE), config.number("max_lr", HIGHEST_RATE)
    threshold = config.number("kl_threshold", 0.008)
    match schedule:
        case "constant" | "identity":
            return float(rate)
        case "linear":
            return {"schedule": "linear", "initial": rate, "final": low}
        case "adaptive":
            return {"schedule": "adaptive", "initial": rate, "kl_threshold": threshold, "lowest": low, "highest": high}
    raise UnknownNameError("schedule", str(schedule), ("None", "linear", "adaptive"), where=config.where("lr_schedule"))
