"""The file that says which settings a sweep varies, and over which values."""

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
"""Kinds of ranges: whether their values are whole numbers, and whether each order of magnitude is as likely."""
CHOICE: Final = "choice"
EXAMPLE: Final = "{loguniform: [1e-5, 1e-2]} or {choice: [64, 128]}"


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both included."""

    low: float
    high: float
    whole: bool
    log: bool

    def suggest(self, trial: BaseTrial, key: str) -> Any:
        """What Optuna has the trial use."""
        if self.whole:
            return trial.suggest_int(key, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(key, self.low, self.high, log=self.log)

    def extremes(self) -> list[Any]:
        """Values that have to be valid for all of them to be."""
        return [self.low, self.high]


@dataclass(frozen=True)
class Choice:
    """One of several values of any kind, lists and mappings too."""

    options: tuple[Any, ...]

    def suggest(self, trial: BaseTrial, key: str) -> Any:
        """What Optuna has the trial use; Optuna itself knows options that are lists or mappings by their JSON."""
        return self.options[self.names().index(trial.suggest_categorical(key, self.names()))]

    def names(self) -> list[str]:
        """What Optuna, tables and pictures call the options."""
        return [_name(option) for option in self.options]

    def extremes(self) -> list[Any]:
        """Values that have to be valid for all of them to be."""
        return list(self.options)


@dataclass(frozen=True)
class SearchSpace:
    """What a sweep varies.

    Attributes:
        source: the file, as messages name it.
        dimensions: the values by dotted configuration key.
    """

    source: str
    dimensions: Mapping[str, Range | Choice]

    @classmethod
    def read(cls, path: Path) -> SearchSpace:
        """The space of a file such as `algorithm.parameters.gamma: {uniform: [0.9, 0.999]}`.

        Whether the keys exist and take such values shows only when they are put into a configuration.

        Raises:
            InputError: the file cannot be read, names nothing, or a range is none; it names the file and the key.
        """
        source, tree = shown(path), read_yaml(path)
        if not tree:
            raise InputError(f"{source}: expected keys to vary, such as algorithm.parameters.gamma, found none")
        return cls(source, {str(key): _dimension(f"{source}: {key}", written) for key, written in tree.items()})

    def suggest(self, trial: BaseTrial) -> dict[str, Any]:
        """A value for each key: new ones for a trial that begins, those that it had for any other."""
        return {key: dimension.suggest(trial, key) for key, dimension in self.dimensions.items()}

    def extremes(self) -> list[dict[str, Any]]:
        """Samples that hold each extreme of each key at least once: what to check before anything is trained."""
        extremes = {key: dimension.extremes() for key, dimension in self.dimensions.items()}
        first = {key: values[0] for key, values in extremes.items()}
        return [first, *({**first, key: value} for key, values in extremes.items() for value in values[1:])]

    def layer(self, sample: Mapping[str, Any]) -> Layer:
        """A sample as a layer of the configuration."""
        return Layer.of_mapping(self.source, sample)


def _dimension(where: str, written: Any) -> Range | Choice:
    if not isinstance(written, Mapping) or len(written) != 1:
        raise InputError(f"{where}: expected a range such as {EXAMPLE}, found {found(written)}")
    kind, values = next(iter(written.items()))
    if kind not in (*RANGES, CHOICE):
        raise UnknownNameError("kind of range", str(kind), (*RANGES, CHOICE), where)
    if not isinstance(values, list) or not values:
        raise InputError(f"{where}: {kind}: expected a list, as in {EXAMPLE}, found {found(values)}")
    if kind == CHOICE:
        if len({_name(value) for value in values}) < len(values):
            raise InputError(f"{where}: {kind}: expected different values, found one twice in {found(values)}")
        return Choice(tuple(values))
    return _range(f"{where}: {kind}", values, *RANGES[kind])


def _range(where: str, values: list[Any], whole: bool, log: bool) -> Range:
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
    """How Optuna, tables and pictures call an option."""
    return option if isinstance(option, str) else json.dumps(option, sort_keys=True)
