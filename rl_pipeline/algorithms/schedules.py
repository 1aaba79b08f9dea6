"""Rates that change over a run: linear, cosine, exponential or constant, as settings of the YAML."""

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

_SHORT = re.compile(r"lin_([0-9.eE+-]+)")
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


def schedule(where: str, value: Mapping[str, Any] | str) -> Schedule:
    """The schedule for `{schedule: cosine, initial: 3e-4, final: 1e-5, end_fraction: 0.8}` or `lin_3e-4` (to zero).

    `schedule` left out is linear, `final` zero, or `initial` when it is constant; `start` and `end` may stand for
    `initial` and `final`. Raises `InputError` naming `where`, `UnknownNameError` for an unknown shape or key.
    """
    if isinstance(value, str):
        value = _short(where, value)
    fields: dict[str, Any] = {_SYNONYMS.get(key, key): field for key, field in value.items()}
    shape = fields.pop("schedule", "linear")
    if shape not in SHAPES:
        raise UnknownNameError("schedule", str(shape), SHAPES, where=where)
    fields = {"final": fields.get("initial") if shape == "constant" else 0.0, "end_fraction": 1.0, **fields}
    known = ("initial", "final", "end_fraction")
    for key, field in fields.items():
        if key not in known:
            raise UnknownNameError("setting of a schedule", str(key), ("schedule", *known), where=f"{where}.{key}")
        if isinstance(field, bool) or not isinstance(field, int | float):
            raise InputError(f"{where}.{key}: expected a number, found {field!r}")
    if "initial" not in fields:
        raise InputError(f"{where}: expected a number or a schedule with its initial value, found {dict(value)!r}")
    result = Schedule(shape, *(float(fields[key]) for key in known))
    if not 0.0 < result.end_fraction <= 1.0:
        raise InputError(f"{where}.end_fraction: expected a number in (0, 1], found {result.end_fraction:g}")
    if shape == "exponential" and (result.initial <= 0.0 or result.final <= 0.0):
        raise InputError(f"{where}: an exponential schedule needs initial and final above 0, found {dict(value)!r}")
    return result


def _short(where: str, text: str) -> dict[str, Any]:
    try:
        if (match := _SHORT.fullmatch(text)) is not None:
            return {"initial": float(match[1])}
    except ValueError:
        pass
    raise InputError(f"{where}: expected a number or a schedule such as lin_3e-4, found {text!r}")
