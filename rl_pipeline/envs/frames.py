"""The last frame of each environment for people to watch: kept as it came, and decoded when it is looked at."""

from __future__ import annotations

import io
import logging

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.player_service import Environments
from rl_pipeline.interfaces import Batch
from rl_pipeline.interfaces.optional_fields import has_field

logger = logging.getLogger(__name__)


class Frames:
    """Keeps the frames that come with responses.

    Args:
        num_envs: N.
    """

    def __init__(self, num_envs: int) -> None:
        self._everyone: NDArray[np.intp] = np.arange(num_envs)
        self._encoded: list[tuple[str, bytes] | None] = [None] * num_envs

    def take(self, environments: Environments, responses: Batch) -> None:
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
        """Format and bytes of the last frame of an environment; None: there is none."""
        return self._encoded[index]

    def image(self, index: int) -> NDArray[np.uint8] | None:
        """The last frame of an environment, shape (height, width, 3); None: there is none that can be read."""
        encoded = self._encoded[index]
        if encoded is None:
            return None
        from PIL import Image

        try:
            return np.asarray(Image.open(io.BytesIO(encoded[1])).convert("RGB"))
        except OSError as error:
            logger.warning("environment %d: a %s image that cannot be read came: %s", index, encoded[0], error)
            return None
