"""Settings of `wrappers` from the keys of an rl_games file that preprocess observations and rewards."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from typing import Any, Final

from rl_pipeline.rl_games.translation.section_reader import ANY, SectionReader

ENV_NEUTRAL: Final[Mapping[str, Container[Any]]] = {"clip_actions": ANY}
ENV_IGNORED: Final[Mapping[str, str]] = {
    "obs_groups": "the environment's own observation space counts",
    "concate_obs_groups": "the environment's own observation space counts",
}
UNBOUNDED: Final = 1e9
"""Bound of a reward that `reward_shaper` leaves open on one side."""


def read_wrappers(env: SectionReader, config: SectionReader, frames: int, *, images: bool) -> dict[str, Any]:
    """Read the settings of `wrappers`, in the order in which they are applied.

    Args:
        env: the section `params.env`, which Isaac Lab has for its wrapper of environments.
        config: the section `params.config`.
        frames: stacked observations.
        images: the network has convolutions.

    Raises:
        InputError: a value is of the wrong kind, or a key is unknown.
    """
    wrappers: dict[str, Any] = {}

    # Observations: clipped first, so that stacked ones are clipped too.
    bound = env.number("clip_observations", None)
    if bound is not None and math.isfinite(bound):
        wrappers["clip_observations"] = {"low": -bound, "high": bound}
    env.finish(ENV_NEUTRAL, {}, ENV_IGNORED)
    if frames > 1:
        wrappers["frame_stack"] = {"n_stack": frames}

    # Rewards: scaled, then clipped, as reward_shaper does.
    wrappers |= _read_reward_shaper(config.section("reward_shaper"))

    # Normalization comes last and sees the shaped rewards.
    observations, rewards = config.flag("normalize_input", False), config.flag("normalize_value", False)
    if observations and images:
        observations = False
        config.leave("normalize_input", "pixels are divided by 255 in its place")
    if observations or rewards:
        wrappers["normalize"] = {"observations": observations, "rewards": rewards, "clip_observations": 5.0}
    return wrappers


def _read_reward_shaper(shaper: SectionReader) -> dict[str, Any]:
    wrappers: dict[str, Any] = {}
    scale, shift = shaper.number("scale_value", 1.0), shaper.number("shift_value", 0.0)
    if (scale, shift) != (1.0, 0.0):
        wrappers["scale_rewards"] = {"scale": scale, "shift": shift}
    low, high = shaper.number("min_val", None), shaper.number("max_val", None)
    if low is not None or high is not None:
        wrappers["clip_rewards"] = {
            "low": -UNBOUNDED if low is None else low,
            "high": UNBOUNDED if high is None else high,
        }
    shaper.finish({"is_torch": (True, False), "log_val": (False,)}, {})
    return wrappers
