"""Frames by MuJoCo's OpenGL renderer."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import Any, Final

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from rl_pipeline.players.rendering.picture import Camera, Colour, Disc, Picture, Rays

OVERSAMPLING: Final = 2
"""Pixels rendered per pixel of the frame, along each axis; their mean makes smooth edges."""

_MAX_GEOMS: Final = 2000
"""Size of MuJoCo's buffer for geoms of the model and of a picture."""
_RAY_OPACITY: Final = 0.24
_RING_SEGMENTS: Final = 48
"""Boxes of a full ring."""
_GROUND_LIFT: Final = 0.006
"""Height of flat marks above the ground, m: at the same height both would flicker."""

_UPRIGHT: Final = np.eye(3).flatten()


class GLRenderer:
    """Renderer of a model and a picture by OpenGL.

    Args:
        model: compiled model; its visual settings are changed here.
        camera: camera of the frames.
        backend: `egl` or `osmesa`, known to work (see gl_backend.py).
        width: width of a frame, pixels.
        height: height of a frame, pixels.
    """

    def __init__(
        self, model: mujoco.MjModel, camera: Camera, backend: str, width: int = 640, height: int = 480
    ) -> None:
        width, height = width * OVERSAMPLING, height * OVERSAMPLING
        # Context. MuJoCo reads the variable when it loads GL's functions, with the first context.
        os.environ["MUJOCO_GL"] = backend
        self._gl: Any = importlib.import_module(f"mujoco.{backend}").GLContext(width, height)
        self._gl.make_current()
        # Size and quality of the offscreen buffer.
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        model.vis.quality.offsamples = 0  # not every driver has multisampling; oversampling works anywhere
        model.vis.global_.fovy = camera.vertical_field_of_view(width, height)
        self._model = model
        self._camera = free_camera(camera)
        # MuJoCo's scene, which collects the geoms to draw, and its renderer.
        self._options = mujoco.MjvOption()
        self._scene = mujoco.MjvScene(model, _MAX_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._viewport = mujoco.MjrRect(0, 0, width, height)
        self._pixels = np.empty((height, width, 3), dtype=np.uint8)

    def draw(self, data: mujoco.MjData, picture: Picture) -> Image.Image:
        """Draw the frame of a state with up-to-date kinematics, without overlay."""
        self._gl.make_current()
        # Geoms of the model, then those of the picture.
        mujoco.mjv_updateScene(
            self._model,
            data,
            self._options,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL,
            self._scene,
        )
        add_marks(self._scene, picture)
        mujoco.mjr_render(self._viewport, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._viewport, self._context)
        # OpenGL's rows begin at the bottom.
        return Image.fromarray(np.flipud(self._pixels)).reduce(OVERSAMPLING)

    def close(self) -> None:
        """Release the GL context."""
        self._context.free()
        self._gl.free()


def free_camera(camera: Camera) -> mujoco.MjvCamera:
    """Return the camera as MuJoCo's free camera; its field of view is a setting of the model."""
    free = mujoco.MjvCamera()
    free.type = mujoco.mjtCamera.mjCAMERA_FREE
    free.lookat[:] = camera.lookat
    free.distance, free.azimuth, free.elevation = camera.distance, camera.azimuth, camera.elevation
    return free


def add_marks(scene: mujoco.MjvScene, picture: Picture) -> None:
    """Add the discs and rays of a picture to a scene, until its buffer is full."""
    for disc in picture.discs:
        if disc.inner_radius > 0.0:
            _add_ring(scene, disc)
        else:
            size = (disc.radius, 0.001, 0.0)
            _add(scene, mujoco.mjtGeom.mjGEOM_CYLINDER, size, (*disc.centre, _GROUND_LIFT), disc.colour)
    if picture.rays is not None:
        _add_rays(scene, picture.rays)


def _add_ring(scene: mujoco.MjvScene, disc: Disc) -> None:
    """Add a ring of short flat boxes, counter-clockwise from y."""
    count = max(1, round(_RING_SEGMENTS * disc.sweep))
    middle, half_width = (disc.radius + disc.inner_radius) / 2, (disc.radius - disc.inner_radius) / 2
    size = (half_width, np.pi * disc.radius / _RING_SEGMENTS, 0.002)
    for index in range(count):
        angle = np.pi / 2 + 2 * np.pi * (index + 0.5) / _RING_SEGMENTS
        # Turn each box so that its length is tangential.
        cos, sin = np.cos(angle), np.sin(angle)
        position = (disc.centre[0] + middle * cos, disc.centre[1] + middle * sin, _GROUND_LIFT)
        turned = np.array((cos, -sin, 0, sin, cos, 0, 0, 0, 1), dtype=float)
        _add(scene, mujoco.mjtGeom.mjGEOM_BOX, size, position, disc.colour, turned)


def _add_rays(scene: mujoco.MjvScene, rays: Rays) -> None:
    """Add rays as thin capsules, and hits as balls."""
    opacity, radius = (_RAY_OPACITY, 0.012) if rays.opacity is None else (rays.opacity, 0.03)
    origins = np.broadcast_to(rays.origins, rays.ends.shape)
    for start, end, hit, colour in zip(origins, rays.ends, rays.hits, rays.colours, strict=True):
        line = _add(scene, mujoco.mjtGeom.mjGEOM_CAPSULE, (0, 0, 0), (0, 0, 0), (*colour.tolist(), opacity))
        if line is not None:
            mujoco.mjv_connector(line, mujoco.mjtGeom.mjGEOM_CAPSULE, radius, start, end)
        if hit:
            _add(scene, mujoco.mjtGeom.mjGEOM_SPHERE, (0.05,) * 3, end, (*colour.tolist(), 1.0))


def _add(
    scene: mujoco.MjvScene,
    kind: mujoco.mjtGeom,
    size: Sequence[float],
    position: ArrayLike,
    colour: Colour,
    rotation: NDArray[np.float64] = _UPRIGHT,
) -> mujoco.MjvGeom | None:
    """Add one geom and return it; None if the scene is full."""
    if scene.ngeom >= scene.maxgeom:
        return None
    geom = scene.geoms[scene.ngeom]
    mujoco.mjv_initGeom(
        geom, kind, np.asarray(size, float), np.asarray(position, float), rotation, np.asarray(colour, np.float32)
    )
    # A little light of its own, and no shadow, which opaque geoms would cast.
    geom.emission = 0.2
    geom.transparent = True
    geom.category = mujoco.mjtCatBit.mjCAT_DECOR
    scene.ngeom += 1
    return geom
