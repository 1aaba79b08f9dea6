"""Planar lidar: one call of MuJoCo casts the rays of a whole revolution."""

from __future__ import annotations

from typing import Final

import mujoco
import numpy as np
from numpy.typing import NDArray

NUM_RAYS: Final = 30
"""Rays of the navigation vehicle, one every 12 degrees."""
RANGE_MAX: Final = 6.0
"""Greatest range, m; also the range of a ray that hits nothing."""

ANGLE_INCREMENT: Final = 2 * np.pi / NUM_RAYS
"""Angle between two rays, rad."""

TAG_NONE, TAG_WALL, TAG_OBSTACLE, TAG_TARGET, TAG_VEHICLE = range(5)
"""Kinds of hits, with the numbers of interfaces_pkg/Lidar2D."""

_TAG_OF_KIND: Final = {"wall": TAG_WALL, "obstacle": TAG_OBSTACLE, "beacon": TAG_TARGET, "hull": TAG_VEHICLE}

SOLID_GROUP: Final = np.array((1, 0, 0, 0, 0, 0), dtype=np.uint8)
"""Mask of the six geom groups of MuJoCo: group 0 has walls, obstacles and the beacon, not decoration and hulls."""


def _fan(num_rays: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the directions of the rays of a vehicle that faces x, and of one that faces y, each of shape (rays, 3)."""
    angles = 2 * np.pi / num_rays * np.arange(num_rays)
    cos, sin, zero = np.cos(angles), np.sin(angles), np.zeros(num_rays)
    return np.stack([cos, sin, zero], axis=1), np.stack([-sin, cos, zero], axis=1)


AHEAD, ASIDE = _fan(NUM_RAYS)
"""Directions of rays for a vehicle that faces x, and for one that faces y, shape (30, 3).

A vehicle with heading h has the directions cos(h) AHEAD + sin(h) ASIDE.
"""


class Lidar:
    """Lidar at the centre of a vehicle; it does not see the vehicle.

    Args:
        model: the compiled model.
        height: height of its plane above the ground, m.
        vehicle: name of the body that carries it.
        num_rays: number of rays R, evenly spread over the circle.
        groups: mask of the geom groups that it sees, shape (6,).

    Attributes:
        ranges: ranges of the last revolution, m, shape (R,), float64; ray 0 ahead, counter-clockwise.
        tags: kind of hit of each ray, shape (R,), uint8.
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
        self._model = model
        self._num_rays = num_rays
        self._groups = groups
        self._vehicle = model.body(vehicle).id
        self._tag_of_geom = tags_by_geom(model)
        self._ahead, self._aside = _fan(num_rays)
        # Arguments of mj_multiRay, reused in every scan.
        self._geoms = np.empty(num_rays, dtype=np.int32)
        self._origin = np.array((0.0, 0.0, height))
        self._directions = np.empty((num_rays, 3))
        self._flat_directions = self._directions.reshape(-1)

    @property
    def directions(self) -> NDArray[np.float64]:
        """Unit vectors of the rays of the last revolution in the frame of the arena, shape (R, 3)."""
        return self._directions

    def scan(self, data: mujoco.MjData, x: float, y: float, cos: float, sin: float) -> None:
        """Fill `ranges` and `tags`.

        Args:
            data: state of the model; its kinematics must be up to date.
            x: position of the vehicle, m.
            y: position of the vehicle, m.
            cos: cosine of its heading.
            sin: sine of its heading.
        """
        # Turn the rays by the heading.
        self._origin[0], self._origin[1] = x, y
        np.multiply(self._ahead, cos, out=self._directions)
        self._directions += self._aside * sin
        # Static geoms are seen (True), the vehicle itself is not; MuJoCo fills geoms and ranges.
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
        # mode="wrap" makes -1 the last entry, which is for no hit.
        np.take(self._tag_of_geom, self._geoms, out=self.tags, mode="wrap")


class LidarNoise:
    """Normally distributed errors of ranges; those of an episode depend on its seed alone.

    Args:
        seed: seed of the episode.
        deviation: standard deviation, m; 0: no errors.
    """

    def __init__(self, seed: int, deviation: float) -> None:
        # A stream of its own: the layout of the arena is drawn from the seed alone.
        self._rng = np.random.default_rng((seed, 1)) if deviation else None
        self._deviation = deviation

    def added(self, ranges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ranges with errors, m, clipped to 0..RANGE_MAX; the same array if the deviation is 0."""
        if self._rng is None:
            return ranges
        noisy: NDArray[np.float64] = ranges + self._rng.normal(0.0, self._deviation, ranges.shape)
        return np.clip(noisy, 0.0, RANGE_MAX)


def mark_misses(ranges: NDArray[np.float64], geoms: NDArray[np.int32]) -> None:
    """Set the range of rays without a hit to RANGE_MAX and their geom to -1, in arrays of any shape."""
    # MuJoCo's cutoff only skips geoms that are too far: a near one can still be hit beyond it. No hit is -1.
    missed = (ranges < 0.0) | (ranges > RANGE_MAX)
    ranges[missed] = RANGE_MAX
    geoms[missed] = -1


def tags_by_geom(model: mujoco.MjModel) -> NDArray[np.uint8]:
    """Return the tag of each geom by its id, shape (geoms + 1,); the last entry is for geom -1, no hit."""
    tags = np.full(model.ngeom + 1, TAG_NONE, dtype=np.uint8)
    for geom in range(model.ngeom):
        # Names are such as wall_left, obstacle_3, beacon and blue_hull.
        name = model.geom(geom).name
        kind = "hull" if name.endswith("hull") else name.partition("_")[0]
        tags[geom] = _TAG_OF_KIND.get(kind, TAG_NONE)
    return tags
