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

TAG_NONE, TAG_WALL, TAG_OBSTACLE, TAG_TARGET, TAG_VEHICLE = range(5)
"""What a ray hit, as interfaces_pkg/Lidar2D numbers it."""

_TAGS: Final = {"wall": TAG_WALL, "obstacle": TAG_OBSTACLE, "beacon": TAG_TARGET, "hull": TAG_VEHICLE}

SOLID_GROUP: Final = np.array((1, 0, 0, 0, 0, 0), dtype=np.uint8)


def _fan(num_rays: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions of the rays of a vehicle that looks along x, and along y, each of shape (rays, 3)."""
    angles = 2 * np.pi / num_rays * np.arange(num_rays)
    cos, sin, zero = np.cos(angles), np.sin(angles), np.zeros(num_rays)
    return np.stack([cos, sin, zero], axis=1), np.stack([-sin, cos, zero], axis=1)


AHEAD, ASIDE = _fan(NUM_RAYS)
"""Directions of the rays of a vehicle that looks along x, and along y, shape (30, 3); any heading is a mix of them."""


class Lidar:
    """A lidar at a vehicle's centre that does not see the vehicle.

    Args:
        model: what it is in.
        height: of its plane above the ground, m.
        vehicle: the body that carries it.
        num_rays: R, evenly spread.
        groups: the groups of geoms that it sees, shape (6,).

    Attributes:
        ranges: ranges of the last revolution, m, shape (R,), float64; ray 0 ahead, counter-clockwise.
        tags: what each ray hit, shape (R,), uint8.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        height: float,
        vehicle: str = "vehicle",
        num_rays: int = NUM_RAYS,
        groups: NDArray[np.uint8] = SOLID_GROUP,
    ) -> None:
        self.ranges: NDArray[np.float64] = np.full(num_rays, RANGE_MAX)
        self.tags: NDArray[np.uint8] = np.zeros(num_rays, dtype=np.uint8)
        self._model, self._num_rays, self._groups = model, num_rays, groups
        self._vehicle = model.body(vehicle).id
        self._tag_of_geom = tags_by_geom(model)
        self._ahead, self._aside = _fan(num_rays)
        self._geoms = np.empty(num_rays, dtype=np.int32)
        self._origin = np.array((0.0, 0.0, height))
        self._directions = np.empty((num_rays, 3))
        self._flat_directions = self._directions.reshape(-1)

    @property
    def directions(self) -> NDArray[np.float64]:
        """Unit vectors of the rays of the last revolution in the frame of the arena, shape (30, 3)."""
        return self._directions

    def scan(self, data: mujoco.MjData, x: float, y: float, cos: float, sin: float) -> None:
        """Fill `ranges` and `tags` for a vehicle at x, y (m) with this cosine and sine of its heading."""
        self._origin[0], self._origin[1] = x, y
        np.multiply(self._ahead, cos, out=self._directions)
        self._directions += self._aside * sin
        mujoco.mj_multiRay(
            self._model,
            data,
            self._origin,
            self._flat_directions,
            self._groups,
            True,
            self._vehicle,
            self._geoms,
            self.ranges,
            None,
            self._num_rays,
            RANGE_MAX,
        )
        mark_misses(self.ranges, self._geoms)
        np.take(self._tag_of_geom, self._geoms, out=self.tags, mode="wrap")


class LidarNoise:
    """Errors of measurement, normally distributed; those of an episode depend on its seed alone.

    Args:
        seed: of the episode.
        deviation: standard deviation, m.
    """

    def __init__(self, seed: int, deviation: float) -> None:
        self._rng, self._deviation = np.random.default_rng((seed, 1)) if deviation else None, deviation

    def added(self, ranges: NDArray[np.float64]) -> NDArray[np.float64]:
        """The ranges of one revolution, m, with errors, from 0 to the greatest; the same array where there are none."""
        if self._rng is None:
            return ranges
        noisy: NDArray[np.float64] = ranges + self._rng.normal(0.0, self._deviation, ranges.shape)
        return np.clip(noisy, 0.0, RANGE_MAX)


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
        name = model.geom(geom).name
        kind = "hull" if name.endswith("hull") else name.partition("_")[0]
        tags[geom] = _TAGS.get(kind, TAG_NONE)
    return tags
