"""Overlay: a strip of gauges at the top of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from rl_pipeline.players.rendering.picture import Gauge

# Sizes in pixels.
_HEIGHT: Final = 30
_MARGIN: Final = 10
_TEXT_SIZE: Final = 13
_BAR_WIDTH: Final = 84
_BAR_HEIGHT: Final = 8
# Colours: red, green, blue and opacity, from 0 to 255.
_PANEL: Final = (32, 38, 48, 205)
_LABEL: Final = (172, 182, 194, 255)
_VALUE: Final = (246, 248, 250, 255)
_TROUGH: Final = (255, 255, 255, 46)


def draw_overlay(image: Image.Image, gauges: Sequence[Gauge]) -> None:
    """Draw gauges side by side onto an RGB image."""
    if not gauges:
        return
    # The panel, then each gauge in an equal share of its width.
    canvas = ImageDraw.Draw(image, "RGBA")
    box = (_MARGIN, _MARGIN, image.width - _MARGIN, _MARGIN + _HEIGHT)
    canvas.rounded_rectangle(box, radius=8, fill=_PANEL)
    share = (image.width - 4 * _MARGIN) / len(gauges)
    for index, gauge in enumerate(gauges):
        _draw_gauge(canvas, gauge, 2 * _MARGIN + share * index, _MARGIN + _HEIGHT / 2)


def _draw_gauge(canvas: ImageDraw.ImageDraw, gauge: Gauge, left: float, middle: float) -> None:
    """Draw a label and, to its right, a value or a bar."""
    font = _font()
    canvas.text((left, middle), gauge.label, fill=_LABEL, font=font, anchor="lm")
    left += canvas.textlength(gauge.label, font=font) + 8
    if gauge.fraction is None:
        canvas.text((left, middle), gauge.value, fill=_VALUE, font=font, anchor="lm")
        return
    # A bar for a fraction: its trough, then the filled part.
    top, bottom = middle - _BAR_HEIGHT / 2, middle + _BAR_HEIGHT / 2
    canvas.rounded_rectangle((left, top, left + _BAR_WIDTH, bottom), radius=_BAR_HEIGHT / 2, fill=_TROUGH)
    filled = _BAR_WIDTH * min(max(gauge.fraction, 0.0), 1.0)
    if filled >= _BAR_HEIGHT:
        red, green, blue, opacity = (round(255 * part) for part in gauge.colour)
        bar = (left, top, left + filled, bottom)
        canvas.rounded_rectangle(bar, radius=_BAR_HEIGHT / 2, fill=(red, green, blue, opacity))


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=_TEXT_SIZE)
