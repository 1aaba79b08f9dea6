"""Search space of a sweep: the settings to vary and their ranges, read from a YAML file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rl_pipeline.config.composition import read_yaml, shown
from rl_pipeline.config.expectations import found
from rl_pipeline.config.layers import Layer
from rl_pipeline.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

RANGES: Final = {"uniform": (False, False), "loguniform": (False, True), "int": (True, False), "logint": (True, True)}
"""Kinds of ranges: whether values are whole numbers, and whether the scale is logarithmic."""
CHOICE: Final = "choice"
EXAMPLE: Final = "{loguniform: [1e-5, 1e-2]} or {choice: [64, 128]}"


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both included.

    Attributes:
        low: least value.
        high: greatest value.
        whole: only whole numbers.
        log: every order of magnitude is equally likely.
    """

    low: float
    high: float
    whole: bool
    log: bool

    def suggest(self, trial: BaseTrial, key: str) -> Any:
        """Return the trial's value, sampled by Optuna for a new trial."""
        if self.whole:
            return trial.suggest_int(key, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(key, self.low, self.high, log=self.log)

    def extremes(self) -> list[Any]:
        """Return the two ends: if both are valid in a configuration, so are the values between them."""
        return [self.low, self.high]


@dataclass(frozen=True)
class Choice:
    """One of several values of any kind, including lists and mappings."""

    options: tuple[Any, ...]

    def suggest(self, trial: BaseTrial, key: str) -> Any:
        """Return the trial's option. Optuna stores its name: it accepts no lists or mappings as categories."""
        return self.options[self.names().index(trial.suggest_categorical(key, self.names()))]

    def names(self) -> list[str]:
        """Return the names of the options in Optuna's study, tables and charts."""
        return [_name(option) for option in self.options]

    def extremes(self) -> list[Any]:
        """Return all options, each of which must be valid in a configuration."""
        return list(self.options)


@dataclass(frozen=True)
class SearchSpace:
    """The settings that a sweep varies, with their ranges.

    Attributes:
        source: the file, as named in messages.
        dimensions: range of each setting by its dotted configuration key.
    """

    source: str
    dimensions: Mapping[str, Range | Choice]

    @classmethod
    def read(cls, path: Path) -> SearchSpace:
        """Read the space of a file such as `algorithm.parameters.gamma: {uniform: [0.9, 0.999]}`.

        Keys and values are checked against the configuration later, see `extremes`.

        Raises:
            InputError: the file cannot be read or is empty, or a range is not valid; the message names file and key.
        """
        source, tree = shown(path), read_yaml(path)
        if not tree:
            raise InputError(f"{source}: expected keys to vary, such as algorithm.parameters.gamma, found none")
        return cls(source, {str(key): _dimension(f"{source}: {key}", written) for key, written in tree.items()})

    def suggest(self, trial: BaseTrial) -> dict[str, Any]:
        """Return a value for each key: sampled for a new trial, else those that the trial has."""
        return {key: dimension.suggest(trial, key) for key, dimension in self.dimensions.items()}

    def extremes(self) -> list[dict[str, Any]]:
        """Return samples that contain each extreme of each key at least once, to check before any training."""
        extremes = {key: dimension.extremes() for key, dimension in self.dimensions.items()}
        first = {key: values[0] for key, values in extremes.items()}
        return [first, *({**first, key: value} for key, values in extremes.items() for value in values[1:])]

    def layer(self, sample: Mapping[str, Any]) -> Layer:
        """Return a sample as a layer of the configuration."""
        return Layer.of_mapping(self.source, sample)


def _dimension(where: str, written: Any) -> Range | Choice:
    """Parse the range of one setting. Raises `InputError` at `where` when it is not valid."""
    # A mapping with one key, the kind, and a list of values.
    if not isinstance(written, Mapping) or len(written) != 1:
        raise InputError(f"{where}: expected a range such as {EXAMPLE}, found {found(written)}")
    kind, values = next(iter(written.items()))
    if kind not in (*RANGES, CHOICE):
        raise UnknownNameError("kind of range", str(kind), (*RANGES, CHOICE), where)
    if not isinstance(values, list) or not values:
        raise InputError(f"{where}: {kind}: expected a list, as in {EXAMPLE}, found {found(values)}")
    # The values that this kind allows.
    if kind == CHOICE:
        if len({_name(value) for value in values}) < len(values):
            raise InputError(f"{where}: {kind}: expected different values, found one twice in {found(values)}")
        return Choice(tuple(values))
    return _range(f"{where}: {kind}", values, *RANGES[kind])


def _range(where: str, values: list[Any], whole: bool, log: bool) -> Range:
    """Parse the two ends of a range of numbers. Raises `InputError` at `where` when they are not valid."""
    # bool is a subclass of int, and no number here.
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(values) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise InputError(f"{where}: expected two numbers, the smaller first, found {found(values)}")
    if whole and any(number != int(number) for number in numbers):
        raise InputError(f"{where}: expected two whole numbers, found {found(values)}")
    if log and numbers[0] <= 0:
        raise InputError(f"{where}: expected numbers above 0, found {found(values)}")
    low, high = (int(number) if whole else float(number) for number in numbers)
    return Range(low, high, whole, log)


def _name(option: Any) -> str:
    """Return the name of an option: texts as they are, others as JSON."""
    return option if isinstance(option, str) else json.dumps(option, sort_keys=True)
