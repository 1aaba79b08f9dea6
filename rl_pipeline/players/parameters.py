"""What may vary from episode to episode of a scene: the `parameters` of its reset request."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, Self

from rl_pipeline.interfaces import Batch


def within(default: float, least: float, most: float) -> Any:
    """A parameter's default, which NaN stands for, and the range that its values are clipped to."""
    return field(default=default, metadata={"range": (least, most)})


@dataclass(frozen=True)
class SceneParameters:
    """A subclass has a field for each number of the message, made by `within`."""

    def __post_init__(self) -> None:
        for one in fields(self):
            least, most = one.metadata["range"]
            value = getattr(self, one.name)
            object.__setattr__(self, one.name, one.default if math.isnan(value) else min(max(value, least), most))

    @classmethod
    def of(cls, request: Batch, *world: int) -> Self:
        """Those of a reset request, a batch of one; of a batched one, those of a world."""
        return cls(**{one.name: float(request[f"parameters.{one.name}"][0, *world]) for one in fields(cls)})
