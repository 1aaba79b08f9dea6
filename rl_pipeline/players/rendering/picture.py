"""What a frame shows beyond the bodies of the model, said once for every renderer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Colour: TypeAlias = tuple[float, float, float, float]
"""Red, green, blue and opacity, each 0 to 1."""


@dataclass(frozen=True)
class Camera:
    """A fixed camera, in MuJoCo's terms.

    Attributes:
        lookat: point in the middle of the picture, m.
        distance: from that point, m.
        azimuth: heading of the view, degrees.
        elevation: of the view, degrees; negative looks down.
        field_of_view: vertical, degrees, of a picture that is a third wider than high, or more.
    """

    lookat: tuple[float, float, float]
    distance: float
    azimuth: float
    elevation: float
    field_of_view: float

    def vertical_field_of_view(self, width: int, height: int) -> float:
        """Degrees of a picture of this size: one that is narrower shows as much from left to right."""
        narrower = max(1.0, 4 / 3 * height / width)
        return math.degrees(2 * math.atan(narrower * math.tan(math.radians(self.field_of_view) / 2)))


@dataclass(frozen=True)
class Disc:
    """A flat disc on the ground, or a ring when it has an inner radius.

    Attributes:
        centre: x and y, m.
        radius: m.
        colour: of the disc.
        inner_radius: m.
        sweep: how much of the circle is there, 0 to 1, counter-clockwise from y.
    """

    centre: tuple[float, float]
    radius: float
    colour: Colour
    inner_radius: float = 0.0
    sweep: float = 1.0


@dataclass(frozen=True)
class Rays:
    """Lines, each with a dot where it hit something.

    Attributes:
        origins: m, shape (N, 3), or (3,) when all come from one point.
        ends: m, shape (N, 3).
        hits: whether the ray hit something, shape (N,).
        colours: red, green, blue of each ray, 0 to 1, shape (N, 3).
        opacity: of the lines, 0 to 1; None: faint.
    """

    origins: NDArray[np.float64]
    ends: NDArray[np.float64]
    hits: NDArray[np.bool_]
    colours: NDArray[np.float64]
    opacity: float | None = None


@dataclass(frozen=True)
class Gauge:
    """A line of the overlay: a label and a value, with a bar when it has a fraction (0 to 1)."""

    label: str
    value: str
    fraction: float | None = None
    colour: Colour = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Picture:
    """Everything in a frame that is not a body of the model."""

    discs: Sequence[Disc] = ()
    rays: Rays | None = None
    gauges: Sequence[Gauge] = ()
