"""Check a value against a constructor's annotation and the range of the setting."""

from __future__ import annotations

import math
from typing import Any

from rl_pipeline.config.expectations import found
from rl_pipeline.config.hyperparameters import WORDS, Range, is_word
from rl_pipeline.config.values import alternatives
from rl_pipeline.errors import InputError

_PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "a name", type(None): "null"}


def plain_value(where: str, value: Any, annotation: Any, limits: Range | None = None) -> Any:
    """Return `value`, with 1e6 as a whole number where the annotation asks for one.

    Stable-Baselines3 itself takes anything, and fails in the midst of training.

    Args:
        where: the key, whose last part is the name of the setting.
        value: as the configuration has it.
        annotation: type of the constructor's argument.
        limits: what a number can be; None: anything finite.

    Raises:
        InputError: the value is not of that type, or out of range.
    """
    kinds = alternatives(annotation)
    name = where.rpartition(".")[2]
    if isinstance(value, float) and int in kinds and float not in kinds and value.is_integer():
        value = int(value)
    known = type(value) in _PLAIN or all(kind in _PLAIN for kind in kinds)
    fits = type(value) in kinds or (type(value) is int and float in kinds)
    if isinstance(value, int | float) and not isinstance(value, bool):
        fits = fits and math.isfinite(value) and (limits is None or value in limits)
    if isinstance(value, str) and name in WORDS:
        fits = is_word(name, value)
    if not fits and known:
        raise InputError(f"{where}: expected {_expectation(name, kinds, limits)}, found {found(value)}")
    return value


def _expectation(name: str, kinds: tuple[Any, ...], limits: Range | None) -> str:
    words: list[str] = []
    for kind, text in _PLAIN.items():
        if kind is str and name in WORDS:
            words += WORDS[name]
        elif kind in kinds:
            words.append(f"{text} {limits}".rstrip() if kind in (int, float) and limits is not None else text)
    return " or ".join(words) or "a mapping"
