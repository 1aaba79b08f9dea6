"""Visuals of the navigation scene: camera, goal zone, lidar rays and gauges."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from rl_pipeline.players.lidar import TAG_NONE, Lidar
from rl_pipeline.players.navigation.arena import TARGET_RADIUS
from rl_pipeline.players.rendering.picture import Camera, Disc, Gauge, Picture, Rays
from rl_pipeline.players.tracked_vehicle import LIDAR_HEIGHT

CAMERA: Final = Camera(lookat=(-0.22, 0.0, 0.0), distance=14.35, azimuth=0.0, elevation=-58.0, field_of_view=40.0)
"""Camera above and behind the arena, which fills the frame."""

# Colours: red, green and blue, from 0 to 1.
_GREEN: Final = (0.18, 0.72, 0.46)
_AMBER: Final = (0.95, 0.65, 0.22)
_RED: Final = (0.90, 0.30, 0.27)
_TAG_COLOURS: Final = np.array(
    [
        (0.62, 0.66, 0.70),  # nothing within range
        (0.25, 0.47, 0.67),  # wall
        (0.88, 0.36, 0.28),  # obstacle
        (0.13, 0.68, 0.40),  # target
    ]
)


def make_picture(
    position: tuple[float, float],
    goal: tuple[float, float],
    lidar: Lidar,
    health: float,
    dwell: float,
    time: float,
) -> Picture:
    """Make the picture of one moment of an episode.

    Args:
        position: x and y of the vehicle, m.
        goal: x and y of the centre of the goal zone, m.
        lidar: lidar with its last scan.
        health: from 1 (unharmed) to 0 (destroyed).
        dwell: fraction of the dwell time that has passed.
        time: time since the episode began, s.
    """
    return Picture(
        discs=_make_goal_zone(goal, dwell),
        rays=_make_rays(position, lidar),
        gauges=(
            Gauge("Health", f"{health:.0%}", health, (*_health_colour(health), 1.0)),
            Gauge("In goal", f"{dwell:.0%}", dwell, (*_GREEN, 1.0)),
            Gauge("Distance", f"{math.dist(position, goal):.1f} m"),
            Gauge("Time", f"{time:.1f} s"),
        ),
    )


def _make_goal_zone(goal: tuple[float, float], dwell: float) -> tuple[Disc, ...]:
    """Make the goal zone, with a ring around it that closes during the dwell time."""
    zone = (
        Disc(goal, TARGET_RADIUS, (*_GREEN, 0.28)),
        Disc(goal, TARGET_RADIUS, (*_GREEN, 0.75), inner_radius=TARGET_RADIUS - 0.05),
    )
    progress = Disc(goal, TARGET_RADIUS + 0.14, (*_GREEN, 1.0), inner_radius=TARGET_RADIUS + 0.04, sweep=dwell)
    return (*zone, progress) if dwell > 0.0 else zone


def _make_rays(position: tuple[float, float], lidar: Lidar) -> Rays:
    origin = np.array((*position, LIDAR_HEIGHT))
    return Rays(
        origins=origin,
        ends=origin + lidar.directions * lidar.ranges[:, None],
        hits=lidar.tags != TAG_NONE,
        colours=_TAG_COLOURS[lidar.tags],
    )


def _health_colour(health: float) -> tuple[float, float, float]:
    return _GREEN if health > 0.6 else _AMBER if health > 0.3 else _RED
