"""Visuals of the duel: camera, rings for health and gun around each vehicle, shots and gauges."""

from __future__ import annotations

from typing import Final

import numpy as np

from rl_pipeline.players.duel.fighter import MUZZLE_HEIGHT, RELOAD_TIME, Fighter
from rl_pipeline.players.duel.model import PAINTS, SIDES
from rl_pipeline.players.rendering.picture import Camera, Colour, Disc, Gauge, Picture, Rays

CAMERA: Final = Camera(lookat=(-0.22, 0.0, 0.0), distance=14.35, azimuth=0.0, elevation=-58.0, field_of_view=40.0)
"""Camera above and behind the arena, which fills the frame."""

_FLASH_TIME: Final = 0.25
"""Time that a shot is shown, s."""

# Colours: red, green, blue and opacity, from 0 to 1.
_TROUGH: Final = (0.20, 0.22, 0.27, 0.22)
_LOADED: Final = (0.98, 0.98, 0.98, 0.95)
_HIT: Final = (1.0, 0.62, 0.10)
_MISS: Final = (0.45, 0.47, 0.52)


def make_picture(fighters: tuple[Fighter, Fighter], opponent: str, time: float) -> Picture:
    """Make the picture of one moment.

    Args:
        fighters: blue and red.
        opponent: driver of red, for its gauge: `bot` or `agent`.
        time: time since the duel began, s.
    """
    # Each side in the colour of its deck.
    colours = [PAINTS[side].deck for side in SIDES]
    return Picture(
        discs=[
            disc for fighter, colour in zip(fighters, colours, strict=True) for disc in _make_rings(fighter, colour)
        ],
        rays=_make_shots(fighters, time),
        gauges=(
            Gauge("Blue", f"{fighters[0].health:.0%}", fighters[0].health, colours[0]),
            Gauge(f"Red ({opponent})", f"{fighters[1].health:.0%}", fighters[1].health, colours[1]),
            Gauge("Time", f"{time:.1f} s"),
        ),
    )


def _make_rings(fighter: Fighter, colour: Colour) -> list[Disc]:
    """Make a ring for the health of a vehicle, and inside it one that closes while the gun loads."""
    x, y, _, _ = fighter.pose()
    centre = (x, y)
    loaded = 1.0 - fighter.reload / RELOAD_TIME
    rings = [Disc(centre, 0.68, _TROUGH, 0.58)]
    if fighter.health > 0.0:
        rings.append(Disc(centre, 0.68, colour, 0.58, sweep=fighter.health))
        rings.append(Disc(centre, 0.55, _LOADED, 0.51, sweep=loaded))
    return rings


def _make_shots(fighters: tuple[Fighter, Fighter], time: float) -> Rays | None:
    """Make lines for the shots of the last moment."""
    shots = [own.shot for own in fighters if own.shot is not None and time - own.shot.time < _FLASH_TIME]
    if not shots:
        return None
    return Rays(
        origins=np.array([(*shot.start, MUZZLE_HEIGHT) for shot in shots]),
        ends=np.array([(*shot.end, MUZZLE_HEIGHT) for shot in shots]),
        hits=np.ones(len(shots), np.bool_),
        colours=np.array([_HIT if shot.hit else _MISS for shot in shots]),
        opacity=0.9,
    )
