"""Picture: everything in a frame that is not a body of the model, and the camera; the same for all renderers."""

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
        lookat: point in the middle of the frame, m.
        distance: distance from that point, m.
        azimuth: heading of the view, degrees.
        elevation: elevation of the view, degrees; negative looks down.
        field_of_view: vertical field of view of a frame of 4:3 or wider, degrees.
    """

    lookat: tuple[float, float, float]
    distance: float
    azimuth: float
    elevation: float
    field_of_view: float

    def vertical_field_of_view(self, width: int, height: int) -> float:
        """Return the vertical field of view of a frame, degrees. One narrower than 4:3 shows the same width as 4:3."""
        narrower = max(1.0, 4 / 3 * height / width)
        return math.degrees(2 * math.atan(narrower * math.tan(math.radians(self.field_of_view) / 2)))


@dataclass(frozen=True)
class Disc:
    """A flat disc on the ground, or a ring if it has an inner radius.

    Attributes:
        centre: x and y, m.
        radius: outer radius, m.
        colour: colour of the disc.
        inner_radius: inner radius, m.
        sweep: fraction of the circle that is drawn, counter-clockwise from y.
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
        origins: start of each ray, m, shape (N, 3), or (3,) for a common start.
        ends: end of each ray, m, shape (N, 3).
        hits: True for rays that hit something, shape (N,).
        colours: red, green and blue of each ray, from 0 to 1, shape (N, 3).
        opacity: opacity of the lines, from 0 to 1; None: the renderer's own, which is faint.
    """

    origins: NDArray[np.float64]
    ends: NDArray[np.float64]
    hits: NDArray[np.bool_]
    colours: NDArray[np.float64]
    opacity: float | None = None


@dataclass(frozen=True)
class Gauge:
    """A label and a value in the overlay, or a label and a bar if it has a fraction (0 to 1)."""

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
