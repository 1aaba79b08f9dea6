"""Rates that change over a run: linear, cosine, exponential, constant or adaptive, as settings of the YAML."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rl_pipeline.errors import InputError, UnknownNameError

SHAPES: dict[str, Callable[[float, float, float], float]] = {
    "linear": lambda initial, final, done: initial + done * (final - initial),
    "cosine": lambda initial, final, done: final + (initial - final) * (1 + math.cos(math.pi * done)) / 2,
    "exponential": lambda initial, final, done: initial * (final / initial) ** done,
    "constant": lambda initial, final, done: initial,
}
"""The value after a fraction `done`, 0 to 1, of the way from `initial` to `final`."""

ADAPTIVE = "adaptive"

FORMS = "a number or a schedule such as lin_3e-4, linear, cosine_3e-4 or {schedule: linear, initial: 3e-4, final: 0}"
"""Spellings of a rate, for error messages."""

_SHORT = re.compile(r"(lin|linear|cosine|constant)(?:_\s*([0-9.eE+-]+))?")
_SYNONYMS = {"start": "initial", "end": "final"}


@dataclass(frozen=True)
class Schedule:
    """A rate as a function of the part of the run that is left, as Stable-Baselines3 calls it.

    Attributes:
        shape: one of SHAPES.
        initial: value at the beginning.
        final: value at the end.
        end_fraction: the part of the run, in (0, 1], after which the final value is reached and kept.
    """

    shape: str
    initial: float
    final: float
    end_fraction: float = 1.0

    def __call__(self, progress_remaining: float) -> float:
        """The value when `progress_remaining`, 1 at the beginning and 0 at the end, is left of the run."""
        done = min(1.0, (1.0 - progress_remaining) / self.end_fraction)
        return SHAPES[self.shape](self.initial, self.final, done)


class AdaptiveRate:
    """A learning rate that keeps the policy's steps at about one size, measured by their KL divergence.

    After an update whose divergence is above twice the threshold the rate is divided by 1.5, after one below half of it
    multiplied by 1.5 (as in rl_games and rsl_rl, after Schulman et al. 2017, arXiv:1707.06347, section 4).

    Args:
        initial: the rate of the first update.
        kl_threshold: the divergence aimed at, > 0.
        lowest: what the rate never falls below.
        highest: what it never exceeds.

    Attributes:
        value: the rate of the next update.
    """

    def __init__(self, initial: float, kl_threshold: float, lowest: float, highest: float) -> None:
        self.value, self._threshold, self._lowest, self._highest = initial, kl_threshold, lowest, highest

    def __call__(self, progress_remaining: float) -> float:
        """The present value, whatever is left of the run."""
        return self.value

    def follow(self, divergence: float) -> None:
        """Take the KL divergence of the last update into account."""
        if divergence > 2.0 * self._threshold:
            self.value = max(self.value / 1.5, self._lowest)
        elif divergence < 0.5 * self._threshold:
            self.value = min(self.value * 1.5, self._highest)

    def state_dict(self) -> dict[str, Any]:
        """The present value."""
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from that value."""
        self.value = state["value"]


def schedule(where: str, value: Mapping[str, Any] | str, default: float | None = None) -> Schedule | AdaptiveRate:
    """Make the schedule for `{schedule: cosine, initial: 3e-4, final: 1e-5, end_fraction: 0.8}` or `lin_3e-4`.

    `{schedule: adaptive, initial: 3e-4, kl_threshold: 0.008}` is an `AdaptiveRate`, within `lowest` and `highest`.
    `schedule` left out is linear, `final` zero, or `initial` when it is constant; `start` and `end` may stand for
    `initial` and `final`. `lin_3e-4`, `linear_3e-4` and `cosine_3e-4` fall to zero; `linear` alone falls
    from `default`.

    Raises:
        InputError: the value is no schedule; the message names `where`. `UnknownNameError` for an unknown shape or key.
    """
    if isinstance(value, str):
        value = _short(where, value, default)
    fields: dict[str, Any] = {_SYNONYMS.get(key, key): field for key, field in value.items()}
    shape = fields.pop("schedule", "linear")
    if shape not in (*SHAPES, ADAPTIVE):
        raise UnknownNameError("schedule", str(shape), (*SHAPES, ADAPTIVE), where=where)
    known: tuple[str, ...] = ("initial", "final", "end_fraction")
    if shape == ADAPTIVE:
        fields = {"kl_threshold": 0.008, "lowest": 1e-6, "highest": 1e-2, **fields}
        known = ("initial", "kl_threshold", "lowest", "highest")
    else:
        fields = {"final": fields.get("initial") if shape == "constant" else 0.0, "end_fraction": 1.0, **fields}
    for key, field in fields.items():
        if key not in known:
            raise UnknownNameError("setting of a schedule", str(key), ("schedule", *known), where=f"{where}.{key}")
        if isinstance(field, bool) or not isinstance(field, int | float) or not math.isfinite(field):
            raise InputError(f"{where}.{key}: expected a number, found {field!r}")
    if "initial" not in fields:
        raise InputError(f"{where}: expected a number or a schedule with its initial value, found {dict(value)!r}")
    if shape == ADAPTIVE:
        return _adaptive(where, *(float(fields[key]) for key in known))
    result = Schedule(shape, *(float(fields[key]) for key in known))
    if not 0.0 < result.end_fraction <= 1.0:
        raise InputError(f"{where}.end_fraction: expected a number in (0, 1], found {result.end_fraction:g}")
    if shape == "exponential" and (result.initial <= 0.0 or result.final <= 0.0):
        raise InputError(f"{where}: an exponential schedule needs initial and final above 0, found {dict(value)!r}")
    return result


def _adaptive(where: str, initial: float, threshold: float, lowest: float, highest: float) -> AdaptiveRate:
    if threshold <= 0.0:
        raise InputError(f"{where}.kl_threshold: expected a number above 0, found {threshold:g}")
    if not lowest <= initial <= highest:
        raise InputError(f"{where}.initial: expected a number from {lowest:g} to {highest:g}, found {initial:g}")
    return AdaptiveRate(initial, threshold, lowest, highest)


def _short(where: str, text: str, default: float | None) -> dict[str, Any]:
    """The settings that a text such as `lin_3e-4` or `linear` stands for."""
    match = _SHORT.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{where}: expected {FORMS}, found {text!r}")
    if match[2] is None and default is None:
        raise InputError(f"{where}: expected an initial value, such as {match[1]}_0.1, found {text!r}")
    try:
        initial = default if match[2] is None else float(match[2])
    except ValueError:
        raise InputError(f"{where}: expected {FORMS}, found {text!r}") from None
    return {"schedule": "linear" if match[1] == "lin" else match[1], "initial": initial}
