"""Images in `sensor_msgs/CompressedImage`: raw pixels or a compressed file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces.types import CodecError
from rl_pipeline.plurals import plural

RAW: Final = "rgb8"
"""Format of raw pixels: rows from the top, each pixel a byte of red, of green and of blue."""

ImageFormat: TypeAlias = Literal["rgb8", "jpeg"]


@dataclass(frozen=True)
class ImageSpec:
    """Size and format of the images that a player is asked for.

    Raw pixels are not copied after they are received. JPEG has a tenth of the bytes or less, which pays for the time of
    decoding only across a network.

    Attributes:
        height: rows of pixels.
        width: pixels of a row.
        format: `rgb8`, raw pixels, or `jpeg`.
    """

    height: int
    width: int
    format: ImageFormat = RAW

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and 3 colours."""
        return self.height, self.width, 3


class ImageError(CodecError):
    """Bytes that are no image, or an image of another size than requested."""


def encode_image(pixels: NDArray[np.uint8]) -> bytes:
    """Encode pixels, shape (height, width, 3), as a JPEG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "jpeg")
    return file.getvalue()


def decode_image(data: bytes | memoryview, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Decode an image, raw or compressed; raw pixels are recognized by their number of bytes.

    Args:
        data: raw pixels, or a file in any format that Pillow reads.
        shape: shape of the image, (height, width, 3).

    Returns:
        Pixels of that shape; a view of raw ones.

    Raises:
        ImageError: no image, or one of another shape.
    """
    if len(data) == shape[0] * shape[1] * shape[2]:
        return np.frombuffer(data, np.uint8).reshape(shape)
    # A file: the format is in its first bytes.
    from PIL import Image

    try:
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    except OSError as error:
        found = f"{len(data)} {plural(len(data), 'byte')}"
        raise ImageError(f"{found}, neither raw pixels nor a readable file: {error}") from None
    if pixels.shape != shape:
        raise ImageError(
            f"an image of {pixels.shape[1]} by {pixels.shape[0]} pixels, expected {shape[1]} by {shape[0]}"
        )
    return pixels
