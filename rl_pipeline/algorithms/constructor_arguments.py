"""Arguments of a constructor: names, annotations and ranges, to check settings before the constructor runs."""

from __future__ import annotations

import inspect
import math
from typing import Any, Final, NamedTuple

from rl_pipeline.config.expectations import found
from rl_pipeline.config.hyperparameters import WORDS, Range, is_word
from rl_pipeline.config.values import alternatives
from rl_pipeline.errors import InputError

LIBRARIES: Final = ("stable_baselines3", "sb3_contrib")
"""Packages whose settings have the ranges of `config.hyperparameters`; a user's class may mean something else."""

_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_DESCRIPTIONS: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a name",
    type(None): "null",
}
"""Types that a YAML file can hold, in the words of error messages."""


class DeclaredParameter(NamedTuple):
    """A constructor's parameter, and the module of the class that declares it."""

    parameter: inspect.Parameter
    module: str

    @property
    def by_library(self) -> bool:
        """True if a class of Stable-Baselines3 or sb3-contrib declares it."""
        return self.module.partition(".")[0] in LIBRARIES


def is_kind_of(cls: type[Any], name: str) -> bool:
    """Return True if the class or an ancestor has that name. Unlike `issubclass`, this imports nothing."""
    return any(ancestor.__name__ == name for ancestor in cls.__mro__)


def declared_parameters(cls: type[Any]) -> dict[str, DeclaredParameter]:
    """Return the parameters of a class's constructor by name, those passed on through `**kwargs` included."""
    declared: dict[str, DeclaredParameter] = {}
    for ancestor in cls.__mro__:
        if "__init__" not in vars(ancestor):
            continue
        # Parameters of the subclass come later in the union: they replace those of the same name above.
        own = inspect.signature(vars(ancestor)["__init__"], eval_str=True).parameters
        module = ancestor.__module__
        named = {name: DeclaredParameter(each, module) for name, each in own.items() if each.kind not in _VARIADIC}
        declared = named | declared
        # Only a constructor with **kwargs passes further arguments on to the class above it.
        if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in own.values()):
            break
    return declared


def check_value(where: str, value: Any, annotation: Any, limits: Range | None = None) -> Any:
    """Check a value against a constructor's annotation and a range; return it, 1e6 as 1000000 for an integer.

    Stable-Baselines3 accepts any value and fails in the middle of training.

    Args:
        where: configuration key; its last part is the name of the setting.
        value: the value from the configuration.
        annotation: type of the constructor's argument.
        limits: range of a number; None: any finite number.

    Raises:
        InputError: the value has another type or is out of range.
    """
    kinds = alternatives(annotation)
    name = where.rpartition(".")[2]
    # YAML reads 1e6 as a float.
    if isinstance(value, float) and int in kinds and float not in kinds and value.is_integer():
        value = int(value)
    # Values and annotations of other types, such as mappings or classes, are left to the constructor.
    is_checked = type(value) in _DESCRIPTIONS or all(kind in _DESCRIPTIONS for kind in kinds)
    fits = type(value) in kinds or (type(value) is int and float in kinds)
    if isinstance(value, int | float) and not isinstance(value, bool):
        fits = fits and math.isfinite(value) and (limits is None or value in limits)
    if isinstance(value, str) and name in WORDS:
        fits = is_word(name, value)
    if not fits and is_checked:
        raise InputError(f"{where}: expected {_expectation(name, kinds, limits)}, found {found(value)}")
    return value


def _expectation(name: str, kinds: tuple[Any, ...], limits: Range | None) -> str:
    """Describe the valid values of a setting: `a whole number above 0 or null`."""
    words: list[str] = []
    for kind, text in _DESCRIPTIONS.items():
        if kind is str and name in WORDS:
            words += WORDS[name]
        elif kind in kinds:
            words.append(f"{text} {limits}".rstrip() if kind in (int, float) and limits is not None else text)
    return " or ".join(words) or "a mapping"
