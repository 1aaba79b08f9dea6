"""Schedules of rates over a run: linear, cosine, exponential, constant and adaptive."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rl_pipeline.errors import InputError, UnknownNameError

SHAPES: Final[dict[str, Callable[[float, float, float], float]]] = {
    "linear": lambda initial, final, done: initial + done * (final - initial),
    "cosine": lambda initial, final, done: final + (initial - final) * (1 + math.cos(math.pi * done)) / 2,
    "exponential": lambda initial, final, done: initial * (final / initial) ** done,
    "constant": lambda initial, final, done: initial,
}
"""Value as a function of `initial`, `final` and the fraction `done` of the way between them, 0 to 1."""

ADAPTIVE: Final = "adaptive"

FORMS: Final = (
    "a number or a schedule such as lin_3e-4, linear, cosine_3e-4 or {schedule: linear, initial: 3e-4, final: 0}"
)
"""Spellings of a rate, for error messages."""

_SHORT_FORM: Final = re.compile(r"(lin|linear|cosine|constant)(?:_\s*([0-9.eE+-]+))?")
_SYNONYMS: Final = {"start": "initial", "end": "final"}


@dataclass(frozen=True)
class Schedule:
    """A rate as a function of the remaining progress, called by Stable-Baselines3.

    Attributes:
        shape: one of SHAPES.
        initial: value at the beginning of the run.
        final: value at the end.
        end_fraction: fraction of the run, in (0, 1], after which the rate stays at `final`.
    """

    shape: str
    initial: float
    final: float
    end_fraction: float = 1.0

    def __call__(self, progress_remaining: float) -> float:
        """Return the value for a remaining progress, from 1 at the beginning to 0 at the end of the run."""
        done = min(1.0, (1.0 - progress_remaining) / self.end_fraction)
        return SHAPES[self.shape](self.initial, self.final, done)


class AdaptiveRate:
    """A learning rate that keeps the KL divergence of updates near a threshold.

    An update with more than twice the threshold divides the rate by 1.5, one with less than half of it multiplies the
    rate by 1.5 (as in rl_games and rsl_rl, after Schulman et al. 2017, arXiv:1707.06347, section 4).

    Args:
        initial: rate of the first update.
        kl_threshold: desired divergence of an update, > 0.
        lowest: lower bound of the rate.
        highest: upper bound of the rate.

    Attributes:
        value: rate of the next update.
    """

    def __init__(self, initial: float, kl_threshold: float, lowest: float, highest: float) -> None:
        self.value = initial
        self._threshold = kl_threshold
        self._lowest = lowest
        self._highest = highest

    def __call__(self, progress_remaining: float) -> float:
        """Return the present value; the remaining progress does not matter."""
        return self.value

    def follow(self, divergence: float) -> None:
        """Adapt the rate to the KL divergence of the last update."""
        if divergence > 2.0 * self._threshold:
            self.value = max(self.value / 1.5, self._lowest)
        elif divergence < 0.5 * self._threshold:
            self.value = min(self.value * 1.5, self._highest)

    def state_dict(self) -> dict[str, Any]:
        """Return the present value."""
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the value."""
        self.value = state["value"]


def parse_schedule(where: str, value: Mapping[str, Any] | str, default: float | None = None) -> Schedule | AdaptiveRate:
    """Parse a schedule such as `{schedule: cosine, initial: 3e-4, final: 1e-5, end_fraction: 0.8}` or `lin_3e-4`.

    `{schedule: adaptive, initial: 3e-4, kl_threshold: 0.008}` is an `AdaptiveRate`, between `lowest` and `highest`.
    Defaults: `schedule: linear`, `final: 0` (`initial` if constant), `end_fraction: 1`; `start` and `end` are synonyms
    of `initial` and `final`. `lin_3e-4`, `linear_3e-4` and `cosine_3e-4` fall to zero; `linear` alone falls from
    `default` to zero.

    Args:
        where: configuration key, for messages.
        value: the setting.
        default: initial value of a schedule without one; None: an initial value is required.

    Raises:
        InputError: the value is no schedule. `UnknownNameError` for an unknown shape or key.
    """
    if isinstance(value, str):
        value = _parse_short_form(where, value, default)
    # Shape and keys, with their defaults.
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
    # Names and types of the values.
    for key, field in fields.items():
        if key not in known:
            raise UnknownNameError("setting of a schedule", str(key), ("schedule", *known), where=f"{where}.{key}")
        if isinstance(field, bool) or not isinstance(field, int | float) or not math.isfinite(field):
            raise InputError(f"{where}.{key}: expected a number, found {field!r}")
    if "initial" not in fields:
        raise InputError(f"{where}: expected a number or a schedule with its initial value, found {dict(value)!r}")
    # Ranges.
    if shape == ADAPTIVE:
        return _make_adaptive(where, *(float(fields[key]) for key in known))
    result = Schedule(shape, *(float(fields[key]) for key in known))
    if not 0.0 < result.end_fraction <= 1.0:
        raise InputError(f"{where}.end_fraction: expected a number in (0, 1], found {result.end_fraction:g}")
    if shape == "exponential" and (result.initial <= 0.0 or result.final <= 0.0):
        raise InputError(f"{where}: an exponential schedule needs initial and final above 0, found {dict(value)!r}")
    return result


def _make_adaptive(where: str, initial: float, threshold: float, lowest: float, highest: float) -> AdaptiveRate:
    if threshold <= 0.0:
        raise InputError(f"{where}.kl_threshold: expected a number above 0, found {threshold:g}")
    if not lowest <= initial <= highest:
        raise InputError(f"{where}.initial: expected a number from {lowest:g} to {highest:g}, found {initial:g}")
    return AdaptiveRate(initial, threshold, lowest, highest)


def _parse_short_form(where: str, text: str, default: float | None) -> dict[str, Any]:
    """Return the settings that a text such as `lin_3e-4` or `linear` stands for."""
    match = _SHORT_FORM.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{where}: expected {FORMS}, found {text!r}")
    if match[2] is None and default is None:
        raise InputError(f"{where}: expected an initial value, such as {match[1]}_0.1, found {text!r}")
    try:
        initial = default if match[2] is None else float(match[2])
    except ValueError:
        raise InputError(f"{where}: expected {FORMS}, found {text!r}") from None
    return {"schedule": "linear" if match[1] == "lin" else match[1], "initial": initial}
