"""Source of a scene's frames, encoded for the wire."""

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
"""Frames for videos and viewers."""
_MIN_OVERLAY_WIDTH: Final = 320
"""Width below which a frame has no gauges, pixels: they would be unreadable."""
_JPEG_QUALITY: Final = 90


class Renderer(Protocol):
    """Draws the bodies of a model, and discs and rays of a picture."""

    def draw(self, data: mujoco.MjData, picture: Picture) -> Image.Image:
        """Draw the RGB frame of a state with up-to-date kinematics, without overlay."""

    def close(self) -> None:
        """Release its resources."""


class FrameSource:
    """Draws the present state of a scene; the renderer is loaded with the first frame.

    Args:
        model: compiled model.
        data: its state.
        camera: camera of the frames.
        picture: function that returns everything else to show at present.
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
        self._model = model
        self._data = data
        self._camera = camera
        self._picture = picture
        self._image = image
        self._renderer: Renderer | None = None

    def image(self) -> Image.Image:
        """Draw a frame, RGB; this does not affect the simulation."""
        from rl_pipeline.players.rendering.overlay import draw_overlay

        if self._renderer is None:
            self._renderer = open_renderer(self._model, self._camera, self._image.width, self._image.height)
        # A step leaves the positions of bodies one substep behind; updating them changes nothing for the next step.
        mujoco.mj_kinematics(self._model, self._data)
        picture = self._picture()
        image = self._renderer.draw(self._data, picture)
        if image.width >= _MIN_OVERLAY_WIDTH:
            draw_overlay(image, picture.gauges)
        return image

    @property
    def format(self) -> str:
        """Format of `encoded`: `rgb8` or `jpeg`."""
        return self._image.format

    def encoded(self) -> bytes:
        """Draw a frame and return its bytes in `format`."""
        return self.image().tobytes() if self.format == RAW else self.jpeg()

    def jpeg(self) -> bytes:
        """Draw a frame and return it as JPEG."""
        import io

        buffer = io.BytesIO()
        self.image().save(buffer, "jpeg", quality=_JPEG_QUALITY)
        return buffer.getvalue()

    def close(self) -> None:
        """Release the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def open_renderer(
    model: mujoco.MjModel, camera: Camera, width: int = VIDEO.width, height: int = VIDEO.height
) -> Renderer:
    """Open a renderer by OpenGL if it works here, else a painter."""
    # Imported here: a headless player without frames needs neither.
    from rl_pipeline.players.rendering.gl_backend import working_backend

    backend = working_backend()
    if backend is not None:
        from rl_pipeline.players.rendering.gl_renderer import GLRenderer

        logger.info("frames are rendered by GL (%s)", backend)
        return GLRenderer(model, camera, backend, width, height)
    # Without GL.
    from rl_pipeline.players.rendering.painter import Painter

    logger.info("frames are painted")
    return Painter(model, camera, width, height)
