"""Hyperparameters of `params.config`, with the names and in the units of Stable-Baselines3."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any, Final

from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.algorithms.hyperparameters import SECTION, checked_hyperparameters
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.rl_games.translation.section_reader import ANY, SectionReader

UNCLIPPED: Final = 1e9
"""Norm that no gradient exceeds."""
MIN_RATE: Final = 1e-6
MAX_RATE: Final = 1e-2
"""Bounds of a learning rate in rl_games."""
MAX_FRAMES: Final = 100_000_000
"""Frames after which a run ends that only `score_to_win` limits."""
CONSTANT_RATES: Final = ("constant", "identity", "fixed", "polynom_decay")
"""Schedules under which rl_games keeps the learning rate."""

# Keys without a counterpart, with the values that have no effect here.
PPO_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    # The objective.
    "ppo": (True,),
    "normalize_rms_advantage": (False,),
    "adv_rms_momentum": ANY,
    "value_bootstrap": (True,),
    "use_smooth_clamp": (False,),
    "bounds_loss_coef": (0,),
    "bound_loss_type": ANY,
    # Recurrent policies: Stable-Baselines3 chooses the length of its sequences itself.
    "seq_length": ANY,
    "seq_len": ANY,
    "bptt_length": ANY,
    "zero_rnn_on_done": (True,),
    # Actions, schedules and the critic.
    "clip_actions": (True,),
    "schedule_type": ("standard",),
    "schedule_entropy": (False,),
    "ignore_dead_batches": (False,),
    "use_experimental_cv": ANY,
    "freeze_critic": (False,),
    "epochs_between_resets": (0,),
    "max_steps": (-1,),
    "delightful_pg": (),
    "value_size": (1,),
    # Algorithms of their own.
    "phasic_policy_gradients": (),
    "rnd_config": (),
    "distillation": (),
}
SAC_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "num_seed_steps": ANY,
    "max_env_steps": ANY,
    # Temperature and optimizers, as Stable-Baselines3 has them.
    "target_entropy_coef": (1,),
    "actor_betas": ([0.9, 0.999],),
    "critic_betas": ([0.9, 0.999],),
    "alphas_betas": ([0.9, 0.999],),
    # Updates: each follows a step, of all networks together.
    "actor_update_frequency": (1,),
    "critic_target_update_frequency": (1,),
    "policy_frequency": (1,),
    "critic_grad_clip": (0,),
    "value_bootstrap": (True,),
    "clip_actions": (True,),
}
# Reasons for keys that are left out, and advice for those that are refused.
SAC_IGNORED: Final[Mapping[str, str]] = {
    "policy_frequency": "the actor is updated with every update of the critic",
    "critic_grad_clip": "the critic's gradients are not clipped",
}
PPO_IGNORED: Final[Mapping[str, str]] = {
    "bounds_loss_coef": "no loss keeps actions within bounds: they are clipped to the action space",
    "schedule_type": "an adaptive rate changes once an epoch (standard)",
    "value_bootstrap": "values are always bootstrapped at the end of the time limit",
}
_OWN_ALGORITHM: Final = "it needs an algorithm of your own: register_algorithm_builder"
REFUSED: Final[Mapping[str, str]] = {
    "ppo": "for A2C without clipping use rl-pipeline train algorithm=a2c",
    "phasic_policy_gradients": _OWN_ALGORITHM,
    "rnd_config": _OWN_ALGORITHM,
    "distillation": _OWN_ALGORITHM,
}

PPO_NAMES: Final[Mapping[str, str]] = {
    "n_steps": "horizon_length",
    "batch_size": "minibatch_size",
    "n_epochs": "mini_epochs",
    "gae_lambda": "tau",
    "clip_range": "e_clip",
    "clip_range_vf": "e_clip",
    "ent_coef": "entropy_coef",
    "vf_coef": "critic_coef",
    "max_grad_norm": "grad_norm",
    "stats_window_size": "games_to_track",
}
"""Names in rl_games of PPO's hyperparameters, where they differ."""
SAC_NAMES: Final[Mapping[str, str]] = {
    "learning_rate": "actor_lr",
    "tau": "critic_tau",
    "buffer_size": "replay_buffer_size",
    "ent_coef": "init_alpha",
    "learning_starts": "num_warmup_frames",
    "gradient_steps": "num_updates_per_step",
    "stats_window_size": "games_to_track",
}
"""Names in rl_games of SAC's hyperparameters, where they differ."""


def read_ppo(config: SectionReader) -> tuple[dict[str, Any], int]:
    """Read PPO's keyword arguments, and the frames of one epoch.

    An epoch is a rollout of `horizon_length` steps of all actors and the updates from it. rl_games halves its value
    loss, so that `critic_coef` 2 is `vf_coef` 1.

    Raises:
        InputError: a key is missing or has an invalid value.
    """
    actors = read_number_of_actors(config)
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

    # Both keys count as read, used or not.
    config.number("grad_norm", None)
    frequency = config.whole("sde_frequency", -1)
    if config.flag("use_sde", False):
        parameters |= {"use_sde": True, "sde_sample_freq": frequency}
    return parameters, frames


def read_sac(config: SectionReader) -> tuple[dict[str, Any], int]:
    """Read SAC's keyword arguments, and the frames of one epoch: `num_steps_per_episode` steps of all actors.

    As in rl_games, each step of all actors is followed by `num_updates_per_step` updates, or by `utd_ratio` updates for
    each of its frames. Stable-Baselines3 has one learning rate for actor, critic and temperature: the actor's.

    Raises:
        InputError: a key is missing or has an invalid value.
    """
    actors = read_number_of_actors(config)
    frames = actors * config.whole("num_steps_per_episode", 1, least=1)

    # One learning rate for all networks.
    rate, alpha = config.number("actor_lr"), config.number("init_alpha", 1.0)
    for name in ("critic_lr", "alpha_lr"):
        if (other := config.number(name, rate)) != rate:
            config.leave(name, f"{other:g} is not used: one learning rate for all, that of actor_lr, {rate:g}")

    # rl_games counts its warm-up in epochs and its updates by step of all actors.
    warm_up = config.whole("num_warmup_steps", 1000, least=0) * frames
    updates = config.whole("num_updates_per_step", 1, least=1)
    if "utd_ratio" in config:
        updates = max(1, round(config.number("utd_ratio", least=0.0) * actors))
    parameters = {
        "learning_rate": rate,
        "gamma": config.number("gamma", 0.99),
        "tau": config.number("critic_tau", 0.005),
        "batch_size": config.whole("batch_size", least=1),
        "buffer_size": config.whole("replay_buffer_size", least=1),
        "learning_starts": config.whole("num_warmup_frames", warm_up, least=0),
        "train_freq": 1,
        "gradient_steps": updates,
        "ent_coef": f"auto_{alpha}" if config.flag("learnable_temperature", True) else alpha,
        "stats_window_size": config.whole("games_to_track", 100, least=1),
    }
    return parameters, frames


def read_number_of_actors(config: SectionReader) -> int:
    """Read the number of environments. Raises `InputError` for -1, which leaves it to the command line."""
    actors = config.whole("num_actors", 1)
    if actors < 1:
        raise InputError(f"{config.where('num_actors')}: expected at least 1, or --num_actors, found {actors}")
    return int(actors)


def read_total_timesteps(config: SectionReader, frames: int) -> int:
    """Read the frames after which the run ends: the first of `max_epochs` and `max_frames`.

    Raises:
        InputError: no key would end the run.
    """
    # Both limits may be given; -1 is none.
    epochs, most = config.whole("max_epochs", -1), config.whole("max_frames", -1)
    if totals := [total for total in (epochs * frames, most) if total > 0]:
        return int(min(totals))

    # A score alone may never be reached: the run ends in any case.
    if "score_to_win" not in config:
        raise InputError(
            f"{config.where('max_epochs')}: expected max_epochs or max_frames above 0, or score_to_win, found none"
        )
    config.leave("max_epochs", f"none is given: score_to_win ends the run, at the latest after {MAX_FRAMES:,} frames")
    return MAX_FRAMES


def check_hyperparameters(
    config: SectionReader, algorithm: type[BaseAlgorithm], parameters: Mapping[str, Any], *, off_policy: bool
) -> None:
    """Check the hyperparameters; an `InputError` has the names of the file."""
    names = SAC_NAMES if off_policy else PPO_NAMES
    try:
        checked_hyperparameters(algorithm, parameters)
    except InputError as error:
        pattern = re.compile(rf"{re.escape(SECTION)}\.(\w+)")
        message = pattern.sub(lambda match: config.where(names.get(match[1], match[1])), str(error))
        raise InputError(message) from None


def _minibatch(config: SectionReader, frames: int, actors: int) -> int:
    """Read the size of a minibatch: of all actors, or of one."""
    per_actor = config.whole("minibatch_size_per_env", 0, least=0)
    size = config.whole("minibatch_size", actors * per_actor or None, least=1)
    if size is None:
        raise InputError(f"{config.where('minibatch_size')}: expected a value, found none")
    # Stable-Baselines3 would train on a smaller last minibatch; rl_games refuses it.
    if frames % size:
        raise InputError(
            f"{config.where('minibatch_size')}: expected a divisor of horizon_length x num_actors ({frames}), "
            f"found {size}"
        )
    return int(size)


def _learning_rate(config: SectionReader) -> float | dict[str, Any]:
    """Read the learning rate: a number, or a schedule's settings."""
    # All keys are read in any case, so that none counts as unknown.
    rate = config.number("learning_rate")
    schedule = config.text("lr_schedule", "constant")
    low, high = config.number("min_lr", MIN_RATE), config.number("max_lr", MAX_RATE)
    threshold = config.number("kl_threshold", 0.008)

    # Schedules that rl_games accepts without changing the rate.
    if schedule == "polynom_decay":
        config.leave("lr_schedule", f"as in rl_games, {schedule} keeps the rate")
    if schedule in CONSTANT_RATES:
        return float(rate)
    match schedule:
        case "linear" if not _is_bounded(config):
            config.leave("lr_schedule", "as in rl_games, the rate is kept where neither epochs nor frames are limited")
            return float(rate)
        case "linear":
            return {"schedule": "linear", "initial": rate, "final": low}
        case "adaptive":
            return {"schedule": "adaptive", "initial": rate, "kl_threshold": threshold, "lowest": low, "highest": high}
    raise UnknownNameError("schedule", str(schedule), ("None", "linear", "adaptive"), where=config.where("lr_schedule"))


def _is_bounded(config: SectionReader) -> bool:
    return any(config.whole(name, -1) > 0 for name in ("max_epochs", "max_frames"))
