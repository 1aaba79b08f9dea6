"""Exploration noise on actions, from settings such as `{normal: 0.1}`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.noise import ActionNoise, NormalActionNoise, OrnsteinUhlenbeckActionNoise

from rl_pipeline.config.expectations import found
from rl_pipeline.config.hyperparameters import ANY, POSITIVE, WEIGHT, Range
from rl_pipeline.errors import InputError, UnknownNameError

KEY: Final = "algorithm.parameters.action_noise"
NOISES: Final[dict[str, type[NormalActionNoise] | type[OrnsteinUhlenbeckActionNoise]]] = {
    "normal": NormalActionNoise,
    "ornstein_uhlenbeck": OrnsteinUhlenbeckActionNoise,
}
SETTINGS: Final[dict[str, dict[str, Range]]] = {
    "normal": {"sigma": WEIGHT, "mean": ANY},
    "ornstein_uhlenbeck": {"sigma": WEIGHT, "mean": ANY, "theta": WEIGHT, "dt": POSITIVE},
}
"""Settings of each kind and their ranges, in units of the action; `dt` in steps."""


def parse_noise(setting: Any) -> tuple[str, dict[str, float]] | None:
    """Return the kind of noise and its settings; None for no noise.

    Raises:
        InputError: the kind, the name of a setting or its value is not valid.
    """
    if setting is None:
        return None
    # One key names the kind of noise.
    if not isinstance(setting, Mapping) or len(setting) != 1:
        raise InputError(
            f"{KEY}: expected null or a kind and its standard deviation, such as {{normal: 0.1}}, "
            f"found {found(setting)}"
        )
    kind, given = next(iter(setting.items()))
    if kind not in NOISES:
        raise UnknownNameError("action noise", str(kind), NOISES, where=KEY)
    # A number alone is the standard deviation.
    fields = dict(given) if isinstance(given, Mapping) else {"sigma": given}
    for name, value in fields.items():
        _check_setting(kind, name, value)
    if "sigma" not in fields:
        raise InputError(f"{KEY}.{kind}: expected sigma, the standard deviation, found {found(given)}")
    return kind, fields


def make_action_noise(setting: Any, action_space: spaces.Space[Any]) -> ActionNoise | None:
    """Make the noise for a setting such as `{normal: 0.1}` or `{ornstein_uhlenbeck: {sigma: 0.1, theta: 0.2}}`.

    Raises:
        InputError: the setting is not valid, or the action space is not a Box.
    """
    if (parsed := parse_noise(setting)) is None:
        return None
    kind, fields = parsed[0], dict[str, Any](parsed[1])
    if not isinstance(action_space, spaces.Box):
        raise InputError(f"{KEY}: needs a continuous (Box) action space, found {action_space}")
    # Mean and deviation are one number in the settings, and an array of the action's shape in Stable-Baselines3.
    ones = np.ones(action_space.shape, dtype=np.float32)
    mean, sigma = ones * fields.pop("mean", 0.0), ones * fields.pop("sigma")
    return NOISES[kind](mean=mean, sigma=sigma, **fields)


def _check_setting(kind: str, name: Any, value: Any) -> None:
    if name not in SETTINGS[kind]:
        raise UnknownNameError(f"setting of {kind} noise", str(name), SETTINGS[kind], where=f"{KEY}.{kind}")
    limits = SETTINGS[kind][name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value not in limits:
        expected = f"a number {limits}".rstrip()
        raise InputError(f"{KEY}.{kind}: expected {name} to be {expected}, found {found(value)}")
