"""Observations and rewards of rl_games' files as wrappers."""

from __future__ import annotations

from tests.rl_games.conftest import changed
from tests.rl_games.test_translate import config_of


def test_observations_are_clipped_as_isaac_lab_clips_them_before_they_are_normalised() -> None:
    wrappers = config_of(changed(env={"clip_observations": 5.0}, config__normalize_input=True)).wrappers
    assert list(wrappers) == ["clip_observations", "normalize"]
    assert wrappers["clip_observations"] == {"low": -5.0, "high": 5.0}
    assert "clip_observations" not in config_of(changed(env={"clip_observations": float("inf")})).wrappers


def test_rewards_are_shaped_and_what_is_normalised_is_a_wrapper() -> None:
    shaper = {"scale_value": 0.1, "shift_value": 1.0, "min_val": -1.0}
    wrappers = config_of(changed(config__reward_shaper=shaper, config__normalize_input=True)).wrappers
    assert list(wrappers) == ["scale_rewards", "clip_rewards", "normalize"]
    assert wrappers["scale_rewards"] == {"scale": 0.1, "shift": 1.0}
    assert wrappers["clip_rewards"]["low"] == -1.0
    assert wrappers["normalize"] == {"observations": True, "rewards": False, "clip_observations": 5.0}
