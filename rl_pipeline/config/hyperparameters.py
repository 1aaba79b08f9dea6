"""Ranges of the hyperparameters of Stable-Baselines3 and sb3-contrib, and of their policies' settings."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Numbers that a setting can be.

    Attributes:
        low: lower bound.
        high: upper bound.
        above: whether the lower bound is excluded.
        below: whether the upper bound is excluded.
        also: a number outside the bounds that has a meaning of its own.
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False
    also: int | None = None

    def __contains__(self, value: float) -> bool:
        if value == self.also:
            return True
        enough = value > self.low if self.above else value >= self.low
        little = value < self.high if self.below else value <= self.high
        return enough and little

    def __str__(self) -> str:
        if not (self.above or self.below) and math.isfinite(self.low) and math.isfinite(self.high):
            return f"from {self.low:g} to {self.high:g}"
        parts = []
        if math.isfinite(self.low):
            parts.append(f"above {self.low:g}" if self.above else f"of at least {self.low:g}")
        if math.isfinite(self.high):
            parts.append(f"below {self.high:g}" if self.below else f"at most {self.high:g}")
        return " and ".join(parts) + (f", or {self.also}" if self.also is not None else "")


ANY = Range()
COUNT = Range(1)
FRACTION = Range(0, 1)
POSITIVE = Range(0, above=True)
WEIGHT = Range(0)
PART = Range(0, 1, above=True)

RANGES: Mapping[str, Range] = {
    # All algorithms; 0 freezes the networks, and the upper bound is far above all that is used (ARS: 0.03).
    "learning_rate": FRACTION,
    "stats_window_size": COUNT,
    # Returns and advantages (Sutton and Barto 2018, section 3.3; Schulman et al. 2016, arXiv:1506.02438).
    "gamma": FRACTION,
    "gae_lambda": FRACTION,
    # Updates from rollouts (Mnih et al. 2016, arXiv:1602.01783; Schulman et al. 2017, arXiv:1707.06347).
    "n_steps": COUNT,
    "batch_size": COUNT,
    "n_epochs": COUNT,
    "clip_range": POSITIVE,
    "clip_range_vf": POSITIVE,
    "ent_coef": WEIGHT,
    "vf_coef": WEIGHT,
    "max_grad_norm": POSITIVE,
    "target_kl": POSITIVE,
    "rms_prop_eps": POSITIVE,
    "sde_sample_freq": Range(1, also=-1),
    # TRPO (Schulman et al. 2015, arXiv:1502.05477).
    "cg_max_steps": COUNT,
    "cg_damping": WEIGHT,
    "line_search_shrinking_factor": Range(0, 1, above=True, below=True),
    "line_search_max_iter": COUNT,
    "n_critic_updates": COUNT,
    "sub_sampling_factor": COUNT,
    # Replay buffers and target networks (Mnih et al. 2015; Lillicrap et al. 2016, arXiv:1509.02971).
    "buffer_size": COUNT,
    "learning_starts": Range(0),
    "train_freq": COUNT,
    "gradient_steps": Range(1, also=-1),
    "tau": PART,
    "target_update_interval": COUNT,
    "exploration_fraction": PART,
    "exploration_initial_eps": FRACTION,
    "exploration_final_eps": FRACTION,
    # TD3 (Fujimoto et al. 2018, arXiv:1802.09477), SAC (Haarnoja et al. 2018, arXiv:1812.05905) and TQC.
    "policy_delay": COUNT,
    "target_policy_noise": WEIGHT,
    "target_noise_clip": WEIGHT,
    "target_entropy": ANY,
    "top_quantiles_to_drop_per_net": Range(0),
    # ARS (Mania et al. 2018, arXiv:1803.07055).
    "n_delta": COUNT,
    "n_top": COUNT,
    "delta_std": POSITIVE,
    "alive_bonus_offset": ANY,
    "n_eval_episodes": COUNT,
}
"""Range by hyperparameter: the same in every algorithm that has it."""

WORDS: Mapping[str, tuple[str, ...]] = {"ent_coef": ("auto", "auto_0.1"), "target_entropy": ("auto",)}
"""Words that may stand for the number of a hyperparameter; the number within one is an example."""

POLICY_RANGES: Mapping[str, Range] = {
    "log_std_init": Range(-20, 20),
    "clip_mean": WEIGHT,
    "n_critics": COUNT,
    "n_quantiles": COUNT,
    "lstm_hidden_size": COUNT,
    "n_lstm_layers": COUNT,
    "batch_norm_momentum": FRACTION,
    "batch_norm_eps": POSITIVE,
    "renorm_warmup_steps": Range(0),
}
"""Range by keyword argument of a policy class, as in `algorithm.architecture.policy_kwargs`."""

_AUTOMATIC = re.compile(r"auto(_(?P<initial>(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?))?")


def is_word(name: str, value: str) -> bool:
    """Return True if `value` may stand for the number: `auto`, or `auto_0.1` with its initial value."""
    if name not in WORDS or (match := _AUTOMATIC.fullmatch(value)) is None:
        return False
    initial = match["initial"]
    return value == "auto" or (len(WORDS[name]) > 1 and initial is not None and float(initial) > 0.0)
