"""Images of N environments as one array: raw ones where they were received, others decoded by threads."""

from __future__ import annotations

import io
import logging
import os
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.player_calls import Indices
from rl_pipeline.envs.task import Task
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Batch
from rl_pipeline.interfaces.images import RAW, ImageSpec, decode_image
from rl_pipeline.interfaces.optional_fields import has_field

logger = logging.getLogger(__name__)

MAX_THREADS: Final = 4
"""Threads that decode images; Pillow releases the interpreter lock meanwhile."""


class Camera:
    """Observed images of N environments, each step's in memory that the next step does not overwrite.

    Raw images of all environments are a view of the responses, so the responses of two steps in a row must not share
    their memory. A compressed one is decoded as soon as its response is complete, while others are still on their
    way.

    Args:
        spec: size and format of the images.
        num_envs: N.
    """

    def __init__(self, spec: ImageSpec, num_envs: int) -> None:
        self._spec = spec
        self._everyone: NDArray[np.intp] = np.arange(num_envs)
        self._images: NDArray[np.uint8] = np.zeros((num_envs, *spec.shape), np.uint8)
        self._target: NDArray[np.uint8] | None = None
        self._spare: list[NDArray[np.uint8]] = []
        self._in_step = False
        self._decoding: dict[int, Future[None]] = {}
        # Decode the images that were not decoded on arrival, and wait for all.
        self._data_start = 0

    @property
    def images(self) -> NDArray[np.uint8]:
        """The present images, shape (N, height, width, 3)."""
        return self._images

    @property
    def decodes(self) -> bool:
        """True if images are compressed, so that it pays to decode them on arrival."""
        return self._spec.format != RAW

    def begin(self, *, is_step: bool) -> None:
        """Expect an image of every environment; after a reset only of some, while the other images stay as they are."""
        self._in_step = is_step
        self._target = None
        self._decoding.clear()

    def arrived(self, environment: int, payload: NDArray[np.uint8] | bytes) -> None:
        """Begin to decode the image of a response, if its position is known from a former response."""
        data = memoryview(payload)[self._data_start :]  # type: ignore[arg-type]
        if self._data_start and len(data) < self._images[0].size:
            self._decode(environment, data)

    def take(self, environments: Indices, responses: Batch) -> None:
        """Take the images of responses of one layout.

        Raises:
            ImageError: an image cannot be read, or is not of the size that was asked for.
        """
        # Raw images need no decoding: a view of them all, or a copy of some.
        data: NDArray[np.uint8] = responses["image.data"]
        if data.shape[1] == self._images[0].size:
            images = data.reshape(-1, *self._spec.shape)
            if self._in_step and isinstance(environments, slice):
                self._images = images
            else:
                self._writable()[environments] = images
            return
        # Decode the images that were not decoded on arrival, and wait for all.
        self._data_start = responses.array.dtype.itemsize - data.shape[1]
        indices: list[int] = self._everyone[environments].tolist()
        for row, index in enumerate(indices):
            if index not in self._decoding:
                self._decode(index, memoryview(data[row]))
        for index in indices:
            self._decoding.pop(index).result()

    def image(self, environment: int) -> NDArray[np.uint8]:
        """Return a copy of the last image of one environment, shape (height, width, 3)."""
        image: NDArray[np.uint8] = self._images[environment].copy()
        return image

    def close(self) -> None:
        """End the threads; safe to call twice."""
        if "_pool" in self.__dict__:
            self._pool.shutdown(cancel_futures=True)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1), thread_name_prefix="images")

    def _decode(self, environment: int, data: memoryview) -> None:
        target = self._writable()[environment]

        def decode() -> None:
            target[:] = decode_image(data, self._spec.shape)

        self._decoding[environment] = self._pool.submit(decode)

    def _writable(self) -> NDArray[np.uint8]:
        """Return memory for images that are written one by one: two arrays in turn for steps, a copy for a reset."""
        if self._target is None:
            if not self._in_step:
                self._target = self._images.copy()
            else:
                self._spare = self._spare or [np.empty_like(self._images) for _ in range(2)]
                self._spare.reverse()
                self._target = self._spare[0]
            self._images = self._target
        return self._target


def open_camera(task: Task, num_envs: int, worlds: int) -> Camera | None:
    """Make the camera of a task that observes images; None: it observes none.

    Raises:
        InputError: it does, and players simulate several worlds, of which they show only the first.
    """
    if task.image is None:
        return None
    if worlds > 1:
        raise InputError(
            f"simulation.worlds_per_player: {type(task).__name__} observes images, and a player of several worlds "
            f"shows only the first; expected 1, found {worlds}"
        )
    return Camera(task.image, num_envs)


class Frames:
    """Frames for people, which come with responses and are kept encoded.

    Args:
        num_envs: N.
    """

    def __init__(self, num_envs: int) -> None:
        self._everyone: NDArray[np.intp] = np.arange(num_envs)
        self._encoded: list[tuple[str, bytes] | None] = [None] * num_envs

    def take(self, environments: Indices, responses: Batch) -> None:
        """Keep the frames of responses of one layout, if they have any."""
        if not has_field(responses.struct, "image"):
            return
        data = responses.image.data
        if data.shape[1] == 0:
            return
        formats = responses["image.format"]
        for row, index in enumerate(self._everyone[environments].tolist()):
            self._encoded[index] = (formats[row].tobytes().decode(errors="replace"), data[row].tobytes())

    def encoded(self, index: int) -> tuple[str, bytes] | None:
        """Return format and bytes of the last frame of an environment; None: there is none."""
        return self._encoded[index]

    def image(self, index: int) -> NDArray[np.uint8] | None:
        """Return the last frame of an environment, shape (height, width, 3); None: there is none that can be read."""
        encoded = self._encoded[index]
        if encoded is None:
            return None
        from PIL import Image

        try:
            return np.asarray(Image.open(io.BytesIO(encoded[1])).convert("RGB"))
        except OSError as error:
            logger.warning("environment %d: cannot read its %s image: %s", index, encoded[0], error)
            return None
