"""Things that are built by name: algorithms, players, observers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rl_pipeline.errors import InputError, UnknownNameError


class ObjectFactory:
    """Builders by name.

    Args:
        kind: what is built, in the words of an error message.
        shared: factory that is asked for names that this one does not have; None: there is no other. This one may
            replace its names for itself.
    """

    def __init__(self, kind: str, shared: ObjectFactory | None = None) -> None:
        self._kind, self._shared = kind, shared
        self._builders: dict[str, Callable[..., Any]] = {}

    @property
    def names(self) -> list[str]:
        """What can be built, sorted."""
        shared = self._shared.names if self._shared is not None else []
        return sorted({*self._builders, *shared})

    def register_builder(self, name: str, builder: Callable[..., Any]) -> None:
        """Have `create(name, ...)` call `builder`. Raises `InputError` when the name is taken."""
        if name in self._builders:
            raise InputError(f"{self._kind} {name!r} is registered already")
        self._builders[name] = builder

    def create(self, name: str, **kwargs: Any) -> Any:
        """What the builder of `name` makes of the keyword arguments. Raises `UnknownNameError` naming the nearest."""
        if name in self._builders:
            return self._builders[name](**kwargs)
        if self._shared is not None and name in self._shared.names:
            return self._shared.create(name, **kwargs)
        raise UnknownNameError(self._kind, name, self.names)
