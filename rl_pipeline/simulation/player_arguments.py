"""Command line of a player, a Unity build or the embedded player. Imported on Python 3.9 by the launcher of players."""

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

if TYPE_CHECKING:  # needs NumPy, which the launcher of players does without
    from rl_pipeline.interfaces.images import ImageSpec

EMBEDDED: Final = "embedded"
"""Value of `unity.build_path` for the MuJoCo player of this package."""

RESERVED: Final = {
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
"""Arguments that `unity.arguments` must not contain, and their source."""


class PlayerSettings(Protocol):
    """Settings of all players: the `unity` section, as `config.schema.UnityConfig` or the launcher's `Build`."""

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
    """The program of players.

    Attributes:
        command: executable and first arguments.
        module: module that the command runs, for the embedded player.
    """

    command: list[str]
    module: str | None = None

    @property
    def name(self) -> str:
        """Name for messages."""
        return self.module or self.command[0]


def player_program(build_path: str, scene: str, arguments: Sequence[str] = ()) -> Program:
    """Return the program for a build: the embedded player of a scene, or the executable at a path.

    Args:
        build_path: `embedded`, or a path.
        scene: name of the scene, for the embedded player.
        arguments: `unity.arguments`, which come before those of `player_arguments`.

    Raises:
        InputError: the build does not exist or cannot be executed, or an argument belongs to another key.
    """
    # Arguments first: they are wrong for any build.
    _check_arguments(arguments)
    if build_path == EMBEDDED:
        module, *of_scene = scene_arguments(scene)
        return Program([sys.executable, "-m", module, *of_scene, *arguments], module)
    # A build: the path must be an executable file.
    path = Path(expanded(build_path))
    if not path.is_file():
        others = sorted(str(other) for other in path.parent.glob("*") if os.access(other, os.X_OK) and other.is_file())
        hint = f"; executables in {path.parent}: {', '.join(others[:5])}" if others else ""
        found = "is a directory" if path.is_dir() else "does not exist"
        raise InputError(f"unity.build_path: {build_path} {found}{hint} (or use {EMBEDDED!r}, the embedded player)")
    if not os.access(path, os.X_OK):
        raise InputError(f"unity.build_path: {build_path} is not executable; run: chmod +x {shlex.quote(str(path))}")
    return Program([str(path.absolute()), *arguments])


def _check_arguments(arguments: Sequence[str]) -> None:
    for argument in arguments:
        option = argument.partition("=")[0]
        if option in RESERVED:
            raise InputError(f"unity.arguments: {option} is given to every player already; {RESERVED[option]}")


@dataclass(frozen=True)
class PlayerSpec:
    """Everything that distinguishes one player of a program from another.

    Attributes:
        environment_id: number in the names of the player's services.
        host: address of the endpoint.
        port: port of the endpoint.
        seed: seed of the first episode before any reset.
        frames: True if the player will be asked for frames; a headless player keeps its graphics then.
        worlds: number of worlds that it simulates.
        image: size and format of frames that a task observes; None: the player's own choice.
        token: secret that the endpoint asks for; None: it asks for none.
    """

    environment_id: int
    host: str
    port: int
    seed: int
    frames: bool = False
    worlds: int = 1
    image: ImageSpec | None = None
    token: str | None = None


def player_arguments(unity: PlayerSettings, spec: PlayerSpec, log_file: Path | None) -> list[str]:
    """Return the command line of one player, after the program's own arguments.

    Worlds are passed only if there are several, and images only if a task observes them: a build need not know these
    options otherwise.

    Args:
        unity: settings of all players.
        spec: the player.
        log_file: path of its log; None: the player's own choice.
    """
    # Unity's own options have one dash, those of players two.
    arguments: list[str] = []
    if unity.headless_mode:
        arguments += ["-batchmode"] if spec.frames else ["-batchmode", "-nographics"]
    if log_file is not None:
        arguments += ["-logFile", str(log_file)]
    return [
        *arguments,
        *("--ros-ip", spec.host, "--ros-port", str(spec.port)),
        *("--environment-id", str(spec.environment_id), "--seed", str(spec.seed)),
        *("--pause", str(unity.pause).lower()),
        *("--sample-time", f"{unity.sample_time:g}", "--time-scale", f"{unity.time_scale:g}"),
        *(("--ros-token", spec.token) if spec.token is not None else ()),
        *(("--worlds", str(spec.worlds)) if spec.worlds > 1 else ()),
        *(_image_arguments(spec.image) if spec.image is not None else ()),
    ]


def zero_time_hint(unity: PlayerSettings, build_path: str) -> str:
    """Return a hint that time settings of 0 may be the cause of a build's silence; empty if none is 0."""
    # Both settings are passed to a build as they are; for the embedded player 0 has a meaning.
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
