"""Frames of a scene as they go over the wire."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import mujoco

from rl_pipeline.interfaces.images import RAW, ImageSpec
from rl_pipeline.players.rendering.picture import Camera, Picture

if TYPE_CHECKING:
    from PIL import Image

logger = logging.getLogger(__name__)

VIDEO: Final = ImageSpec(480, 640, "jpeg")
"""Frames for people to watch."""
_LEAST_OVERLAID: Final = 320
"""Width below which the gauges of the overlay cannot be read, pixels."""
_QUALITY: Final = 90


class Renderer(Protocol):
    """Draws the bodies of a model, and the marks of a picture among them."""

    def draw(self, data: mujoco.MjData, picture: Picture) -> Image.Image:
        """The RGB frame of a state whose kinematics are up to date, without overlay."""

    def close(self) -> None:
        """Give back what it holds."""


class FrameSource:
    """Draws a scene's present state; what it takes to draw is loaded with the first frame.

    Args:
        model: what is shown.
        data: the state that is shown.
        camera: from where.
        picture: what else to show at present.
        image: size and format of a frame.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        camera: Camera,
        picture: Callable[[], Picture],
        image: ImageSpec = VIDEO,
    ) -> None:
        self._model, self._data = model, data
        self._camera = camera
        self._picture = picture
        self._image = image
        self._renderer: Renderer | None = None

    def image(self) -> Image.Image:
        """A frame, RGB. The simulation goes on as if it had not been drawn."""
        from rl_pipeline.players.rendering.overlay import draw_overlay

        if self._renderer is None:
            self._renderer = open_renderer(self._model, self._camera, self._image.width, self._image.height)
        # A step leaves the positions of bodies one substep behind its state; this changes nothing that the next uses.
        mujoco.mj_kinematics(self._model, self._data)
        picture = self._picture()
        image = self._renderer.draw(self._data, picture)
        if image.width >= _LEAST_OVERLAID:
            draw_overlay(image, picture.gauges)
        return image

    @property
    def format(self) -> str:
        """Of `encoded`: `rgb8` or `jpeg`."""
        return self._image.format

    def encoded(self) -> bytes:
        """A frame in its format."""
        return self.image().tobytes() if self.format == RAW else self.jpeg()

    def jpeg(self) -> bytes:
        """A frame as JPEG, whatever the format of the others."""
        import io

        buffer = io.BytesIO()
        self.image().save(buffer, "jpeg", quality=_QUALITY)
        return buffer.getvalue()

    def close(self) -> None:
        """Give back what drawing took."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def open_renderer(
    model: mujoco.MjModel, camera: Camera, width: int = VIDEO.width, height: int = VIDEO.height
) -> Renderer:
    """A renderer by GL where that works, else a painter."""
    from rl_pipeline.players.rendering.gl_backend import working_backend

    backend = working_backend()
    if backend is not None:
        from rl_pipeline.players.rendering.gl_renderer import GLRenderer

        logger.info("frames are rendered by GL (%s)", backend)
        return GLRenderer(model, camera, backend, width, height)
    from rl_pipeline.players.rendering.painter import Painter

    logger.info("frames are painted")
    return Painter(model, camera, width, height)
