"""A pinhole camera: from points in the world to pixels."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.players.rendering.picture import Camera

Array = NDArray[np.float64]

_NEAR: Final = 0.05
"""Nearest depth that is drawn, m."""


class Projection:
    """Projects onto a picture of `width` by `height` pixels.

    Attributes:
        eye: where the camera is, m, shape (3,).
    """

    def __init__(self, camera: Camera, width: int, height: int) -> None:
        azimuth, elevation = np.radians((camera.azimuth, camera.elevation))
        forward = np.array(
            (np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation))
        )
        right = np.array((np.sin(azimuth), -np.cos(azimuth), 0.0))
        self.eye: Array = np.array(camera.lookat) - camera.distance * forward
        self._axes = np.stack([right, np.cross(right, forward), forward], axis=1)
        self._focal = height / 2 / np.tan(np.radians(camera.vertical_field_of_view(width, height)) / 2)
        self._middle = np.array((width / 2, height / 2))

    def __call__(self, points: Array) -> tuple[Array, Array]:
        """Pixels, shape (N, 2), y downward, and depths along the view, m, shape (N,), of points of shape (N, 3)."""
        seen = (points - self.eye) @ self._axes
        depth = np.maximum(seen[:, 2], _NEAR)
        pixels = self._middle + seen[:, :2] * ((self._focal / depth)[:, None] * (1.0, -1.0))
        return pixels, depth

    def pixels(self, points: Array) -> list[tuple[float, float]]:
        """Pixels of points of shape (N, 3), as Pillow takes them."""
        return list(map(tuple, self(points)[0].tolist()))
