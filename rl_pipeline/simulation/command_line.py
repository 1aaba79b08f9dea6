"""The command line that every player is started with, be it a Unity build or the embedded one."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from rl_pipeline.errors import InputError
from rl_pipeline.paths import expanded

if TYPE_CHECKING:  # the launcher of players runs where NumPy is not
    from rl_pipeline.interfaces.images import ImageSpec

EMBEDDED: Final = "embedded"
"""The `unity.build_path` that stands for the MuJoCo player of this package."""


class PlayerSettings(Protocol):
    """What players are started by: the `unity` section, whoever has read it; see `config.schema.UnityConfig`."""

    @property
    def headless_mode(self) -> bool: ...  # noqa: D102
    @property
    def pause(self) -> bool: ...  # noqa: D102
    @property
    def sample_time(self) -> float: ...  # noqa: D102
    @property
    def time_scale(self) -> float: ...  # noqa: D102


def build_command(build_path: str, scene: str) -> list[str]:
    """What to execute for a build: the embedded player of a scene, or the executable at a path.

    Raises:
        InputError: there is no such build, or it cannot be executed.
    """
    if build_path == EMBEDDED:
        module = f"rl_pipeline.players.{scene}"
        if importlib.util.find_spec(module) is None:
            raise InputError(
                f"unity.build_path: the embedded player has no scene {scene!r}; set unity.build_path to a build of it"
            )
        return [sys.executable, "-m", module]
    path = Path(expanded(build_path))
    if not path.is_file():
        beside = sorted(str(other) for other in path.parent.glob("*") if os.access(other, os.X_OK) and other.is_file())
        hint = f"; executables in {path.parent}: {', '.join(beside[:5])}" if beside else ""
        found = "is a directory" if path.is_dir() else "does not exist"
        raise InputError(f"unity.build_path: {build_path} {found}{hint} (or use {EMBEDDED!r}, the embedded player)")
    if not os.access(path, os.X_OK):
        raise InputError(f"unity.build_path: {build_path} is not executable; run: chmod +x {build_path}")
    return [str(path.absolute())]


def player_arguments(
    unity: PlayerSettings,
    *,
    host: str,
    port: int,
    environment_id: int,
    seed: int,
    log_file: Path | None,
    frames: bool,
    token: str | None = None,
    worlds: int = 1,
    image: ImageSpec | None = None,
) -> list[str]:
    """Arguments of one player; with `frames`, a headless player is asked to keep its graphics.

    A player of one world is not told so, nor one whose frames are for people which to make: builds need not know of
    worlds, and of images only for tasks that observe them.
    """
    arguments: list[str] = []
    if unity.headless_mode:
        arguments += ["-batchmode"] if frames else ["-batchmode", "-nographics"]
    if log_file is not None:
        arguments += ["-logFile", str(log_file)]
    return [
        *arguments,
        *("--ros-ip", host, "--ros-port", str(port)),
        *("--environment-id", str(environment_id), "--seed", str(seed)),
        *("--pause", str(unity.pause).lower()),
        *("--sample-time", f"{unity.sample_time:g}", "--time-scale", f"{unity.time_scale:g}"),
        *(("--ros-token", token) if token is not None else ()),
        *(("--worlds", str(worlds)) if worlds > 1 else ()),
        *(_image_arguments(image) if image is not None else ()),
    ]


def _image_arguments(image: ImageSpec) -> list[str]:
    size = ["--image-height", str(image.height), "--image-width", str(image.width)]
    return [*size, "--image-format", image.format]
