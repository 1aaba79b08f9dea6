"""The planar lidar: one call of MuJoCo casts the rays of a whole revolution."""

from __future__ import annotations

from typing import Final

import mujoco
import numpy as np
from numpy.typing import NDArray

NUM_RAYS: Final = 30
RANGE_MAX: Final = 6.0
"""Greatest range, m; also what a ray that hits nothing reports."""

ANGLE_INCREMENT: Final = 2 * np.pi / NUM_RAYS

TAG_NONE, TAG_WALL, TAG_OBSTACLE, TAG_TARGET = range(4)
"""What a ray hit, as interfaces_pkg/Lidar2D numbers it."""

SOLID_GROUP: Final = np.array((1, 0, 0, 0, 0, 0), dtype=np.uint8)


_ANGLES: Final = ANGLE_INCREMENT * np.arange(NUM_RAYS)
AHEAD: Final = np.stack([np.cos(_ANGLES), np.sin(_ANGLES), np.zeros(NUM_RAYS)], axis=1)
ASIDE: Final = np.stack([-np.sin(_ANGLES), np.cos(_ANGLES), np.zeros(NUM_RAYS)], axis=1)
"""Directions of the rays of a vehicle that looks along x, and along y, shape (30, 3); any heading is a mix of them."""


class Lidar:
    """A lidar at the vehicle's centre that does not see the vehicle.

    Attributes:
        ranges: ranges of the last revolution, m, shape (30,), float64; ray 0 ahead, counter-clockwise.
        tags: what each ray hit, shape (30,), uint8.
    """

    def __init__(self, model: mujoco.MjModel, height: float) -> None:
        self.ranges: NDArray[np.float64] = np.full(NUM_RAYS, RANGE_MAX)
        self.tags: NDArray[np.uint8] = np.zeros(NUM_RAYS, dtype=np.uint8)
        self._model = model
        self._vehicle = model.body("vehicle").id
        self._tag_of_geom = tags_by_geom(model)
        self._geoms = np.empty(NUM_RAYS, dtype=np.int32)
        self._origin = np.array((0.0, 0.0, height))
        self._directions = np.empty((NUM_RAYS, 3))
        self._flat_directions = self._directions.reshape(-1)

    @property
    def directions(self) -> NDArray[np.float64]:
        """Unit vectors of the rays of the last revolution in the frame of the arena, shape (30, 3)."""
        return self._directions

    def scan(self, data: mujoco.MjData, x: float, y: float, cos: float, sin: float) -> None:
        """Fill `ranges` and `tags` for a vehicle at x, y (m) with this cosine and sine of its heading."""
        self._origin[0], self._origin[1] = x, y
        np.multiply(AHEAD, cos, out=self._directions)
        self._directions += ASIDE * sin
        mujoco.mj_multiRay(
            self._model,
            data,
            self._origin,
            self._flat_directions,
            SOLID_GROUP,
            True,
            self._vehicle,
            self._geoms,
            self.ranges,
            None,
            NUM_RAYS,
            RANGE_MAX,
        )
        mark_misses(self.ranges, self._geoms)
        np.take(self._tag_of_geom, self._geoms, out=self.tags, mode="wrap")


def mark_misses(ranges: NDArray[np.float64], geoms: NDArray[np.int32]) -> None:
    """Give rays without a hit within range the greatest range, and geom -1; any shape."""
    # MuJoCo's cutoff only spares work: a geom that begins within it can still be hit beyond, and no hit is -1.
    missed = (ranges < 0.0) | (ranges > RANGE_MAX)
    ranges[missed] = RANGE_MAX
    geoms[missed] = -1


def tags_by_geom(model: mujoco.MjModel) -> NDArray[np.uint8]:
    """The tag of each geom by its id; the extra last entry is for geom -1, which stands for no hit."""
    tags = np.full(model.ngeom + 1, TAG_NONE, dtype=np.uint8)
    for geom in range(model.ngeom):
        kind = model.geom(geom).name.partition("_")[0]
        tags[geom] = {"wall": TAG_WALL, "obstacle": TAG_OBSTACLE, "beacon": TAG_TARGET}.get(kind, TAG_NONE)
    return tags
