"""Samplers of a parameter's value at the beginning of an episode; names and keys are those of ML-Agents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from rl_pipeline.errors import InputError, UnknownNameError


def check_keys(given: Mapping[str, Any], valid: Sequence[str], where: str) -> None:
    """Raise UnknownNameError for a key that is not among the valid ones."""
    for key in given:
        if key not in valid:
            raise UnknownNameError("key", str(key), valid, where)


def setting(given: Mapping[str, Any], key: str, where: str) -> Any:
    """Return the value of a key. Raises InputError if the key is missing."""
    if key not in given:
        raise InputError(f"{where}: expected the key {key!r}, found {', '.join(map(repr, given)) or 'no key'}")
    return given[key]


def number(given: Any, where: str, expected: str = "a number") -> float:
    """Return a finite number. Raises InputError for anything else."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise InputError(f"{where}: expected {expected}, found {given!r}")
    return float(given)


class Sampler(Protocol):
    """Distribution of a value."""

    def draw(self, rng: np.random.Generator) -> float:
        """Draw a value."""
        ...


@dataclass(frozen=True)
class Constant:
    """A constant."""

    value: float

    def draw(self, rng: np.random.Generator) -> float:
        """Return the constant."""
        return self.value


@dataclass(frozen=True)
class Uniform:
    """Uniform distribution from `min_value` to `max_value`."""

    min_value: float
    max_value: float

    def draw(self, rng: np.random.Generator) -> float:
        """Draw a value."""
        return float(rng.uniform(self.min_value, self.max_value))


@dataclass(frozen=True)
class Gaussian:
    """Normal distribution."""

    mean: float
    st_dev: float

    def draw(self, rng: np.random.Generator) -> float:
        """Draw a value."""
        return float(rng.normal(self.mean, self.st_dev))


@dataclass(frozen=True)
class MultiRangeUniform:
    """Uniform distribution over several intervals, each as likely as it is long."""

    intervals: tuple[tuple[float, float], ...]

    def draw(self, rng: np.random.Generator) -> float:
        """Draw a value."""
        lengths = np.array([high - low for low, high in self.intervals])
        total = lengths.sum()
        low, high = self.intervals[int(rng.choice(len(lengths), p=lengths / total if total else None))]
        return float(rng.uniform(low, high))


_KEYS = {
    "uniform": ("min_value", "max_value"),
    "gaussian": ("mean", "st_dev"),
    "multirangeuniform": ("intervals",),
}


def read_sampler(given: Any, where: str) -> Sampler:
    """Read a sampler from a number or a mapping.

    Args:
        given: a number, or `{sampler_type: uniform, sampler_parameters: {min_value: 0, max_value: 1}}`.
        where: its key, for error messages.

    Raises:
        InputError: it is not valid.
    """
    if not isinstance(given, Mapping):
        return Constant(number(given, where, "a number or a sampler"))
    # The type, then the parameters of that type.
    check_keys(given, ("sampler_type", "sampler_parameters"), where)
    kind = str(setting(given, "sampler_type", where)).replace("_", "")
    if kind not in _KEYS:
        raise UnknownNameError("sampler", kind, _KEYS, f"{where}.sampler_type")
    where = f"{where}.sampler_parameters"
    parameters = setting(given, "sampler_parameters", where.rpartition(".")[0])
    if not isinstance(parameters, Mapping):
        raise InputError(f"{where}: expected {' and '.join(_KEYS[kind])}, found {parameters!r}")
    check_keys(parameters, _KEYS[kind], where)
    if kind == "multirangeuniform":
        return MultiRangeUniform(_intervals(setting(parameters, "intervals", where), f"{where}.intervals"))
    first, second = (number(setting(parameters, key, where), f"{where}.{key}") for key in _KEYS[kind])
    if kind == "gaussian":
        if second < 0.0:
            raise InputError(f"{where}.st_dev: expected a number of at least 0, found {second:g}")
        return Gaussian(first, second)
    return Uniform(*_interval(first, second, where))


def _intervals(given: Any, where: str) -> tuple[tuple[float, float], ...]:
    pairs = isinstance(given, list) and given and all(isinstance(pair, list) and len(pair) == 2 for pair in given)
    if not pairs:
        raise InputError(f"{where}: expected a list of intervals such as [[0, 1], [2, 3]], found {given!r}")
    return tuple(_interval(number(low, where), number(high, where), where) for low, high in given)


def _interval(low: float, high: float, where: str) -> tuple[float, float]:
    if low > high:
        raise InputError(f"{where}: expected the least value first, found {low:g} and {high:g}")
    return low, high
