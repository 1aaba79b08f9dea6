"""Cache of values that several functions compute from the same messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from rl_pipeline.interfaces.batch import Batch

Value = TypeVar("Value")


def once_settled(function: Callable[[Batch], Value]) -> Callable[[Batch], Value]:
    """Cache the result of a function of a batch with the batch, if it is settled (`Batch.settle`).

    The states that an environment passes to its task are settled. Callers must not write into the result.
    """

    @wraps(function)
    def cached(batch: Batch) -> Value:
        # Assigning to the batch drops the cache.
        known = batch.computed
        if known is None:
            return function(batch)
        value: Value | None = known.get(function)
        if value is None:
            value = known[function] = function(batch)
        return value

    return cached
