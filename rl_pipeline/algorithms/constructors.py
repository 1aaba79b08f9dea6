"""Parameters of constructors, as far up as they are passed on."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

LIBRARIES = ("stable_baselines3", "sb3_contrib")
"""Packages whose settings mean what the tables of ranges say; those of a user's own class may not."""

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Declared(NamedTuple):
    """A constructor's parameter, and the module of the class that declares it."""

    parameter: inspect.Parameter
    module: str

    @property
    def by_library(self) -> bool:
        """True if a class of Stable-Baselines3 or sb3-contrib declares it."""
        return self.module.partition(".")[0] in LIBRARIES


def is_kind_of(constructed: type[Any], name: str) -> bool:
    """Return True if the class or an ancestor has that name; imports nothing."""
    return any(ancestor.__name__ == name for ancestor in constructed.__mro__)


def declared_parameters(constructed: type[Any]) -> dict[str, Declared]:
    """Parameters by name; a constructor that passes `**kwargs` on takes those of the class above it too."""
    declared: dict[str, Declared] = {}
    for ancestor in constructed.__mro__:
        if "__init__" not in vars(ancestor):
            continue
        own = inspect.signature(vars(ancestor)["__init__"], eval_str=True).parameters
        module = ancestor.__module__
        declared = {name: Declared(each, module) for name, each in own.items() if each.kind not in _VARIADIC} | declared
        if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in own.values()):
            break
    return declared
