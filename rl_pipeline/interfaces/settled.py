"""What is computed of messages once, however often it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from rl_pipeline.interfaces.batch import Batch

Value = TypeVar("Value")


def once_settled(function: Callable[[Batch], Value]) -> Callable[[Batch], Value]:
    """Keep what a function of a batch returns with the batch, if that is settled (`Batch.settle`).

    The states that an environment hands to its task are. Whoever is given the value must not write into it.
    """

    @wraps(function)
    def known_or_computed(batch: Batch) -> Value:
        known = batch.computed
        if known is None:
            return function(batch)
        value: Value | None = known.get(function)
        if value is None:
            value = known[function] = function(batch)
        return value

    return known_or_computed
