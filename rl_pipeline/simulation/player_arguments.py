"""The command line that every player is started with, be it a Unity build or the embedded one."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from rl_pipeline.errors import InputError
from rl_pipeline.paths import expanded
from rl_pipeline.players.registration import scene_arguments

if TYPE_CHECKING:  # the launcher of players runs where NumPy is not
    from rl_pipeline.interfaces.images import ImageSpec

EMBEDDED: Final = "embedded"
"""The `unity.build_path` that stands for the MuJoCo player of this package."""

GIVEN: Final = {
    "-batchmode": "set unity.headless_mode",
    "-nographics": "set unity.headless_mode",
    "-logFile": "logs are in the folder of the run",
    "--ros-ip": "set ros.tcp_ip",
    "--ros-port": "set ros.tcp_port",
    "--ros-token": "set ros.token",
    "--environment-id": "players are numbered from 0 up",
    "--seed": "set training.seed",
    "--pause": "set unity.pause",
    "--sample-time": "set unity.sample_time",
    "--time-scale": "set unity.time_scale",
    "--worlds": "set worlds_per_player",
    "--image-height": "the task says which images it observes",
    "--image-width": "the task says which images it observes",
    "--image-format": "the task says which images it observes",
    "--scene": "the task says which scene it is of",
    "--scene-folder": "the task says which scene it is of",
}
"""Arguments that are no matter of `unity.arguments`, and what says them."""


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


@dataclass(frozen=True)
class Program:
    """The program that players run.

    Attributes:
        command: executable and first arguments.
        module: the module that the command runs, if it is the embedded player.
    """

    command: list[str]
    module: str | None = None

    @property
    def name(self) -> str:
        """Name in messages."""
        return self.module or self.command[0]


def player_program(build_path: str, scene: str, arguments: Sequence[str] = ()) -> Program:
    """The program for a build: the embedded player of a scene, or the executable at a path.

    Args:
        build_path: `embedded`, or a path.
        scene: what the embedded player simulates.
        arguments: `unity.arguments`, which come before those of `player_arguments`.

    Raises:
        InputError: there is no such build, it cannot be executed, or an argument is given by a key of its own.
    """
    _check_arguments(arguments)
    if build_path == EMBEDDED:
        module, *of_scene = scene_arguments(scene)
        return Program([sys.executable, "-m", module, *of_scene, *arguments], module)
    path = Path(expanded(build_path))
    if not path.is_file():
        beside = sorted(str(other) for other in path.parent.glob("*") if os.access(other, os.X_OK) and other.is_file())
        hint = f"; executables in {path.parent}: {', '.join(beside[:5])}" if beside else ""
        found = "is a directory" if path.is_dir() else "does not exist"
        raise InputError(f"unity.build_path: {build_path} {found}{hint} (or use {EMBEDDED!r}, the embedded player)")
    if not os.access(path, os.X_OK):
        raise InputError(f"unity.build_path: {build_path} is not executable; run: chmod +x {shlex.quote(str(path))}")
    return Program([str(path.absolute()), *arguments])


def _check_arguments(arguments: Sequence[str]) -> None:
    for argument in arguments:
        option = argument.partition("=")[0]
        if option in GIVEN:
            raise InputError(f"unity.arguments: {option} is given to every player already; {GIVEN[option]}")


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


def zero_time_hint(unity: PlayerSettings, build_path: str) -> str:
    """Say that a build was sent a 0 for its time settings, as a possible cause of its silence; empty: it was not."""
    sent = {
        "--sample-time 0 (unity.sample_time: the scene's own control period)": unity.sample_time,
        "--time-scale 0 (unity.time_scale: as fast as possible)": unity.time_scale,
    }
    zeros = [text for text, value in sent.items() if not value]
    if build_path == EMBEDDED or not zeros:
        return ""
    return f"its command line has {' and '.join(zeros)}; a build that sets Time.timeScale or its step to 0 stands still"


def _image_arguments(image: ImageSpec) -> list[str]:
    size = ["--image-height", str(image.height), "--image-width", str(image.width)]
    return [*size, "--image-format", image.format]
