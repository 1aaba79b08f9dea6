"""Command line of the embedded player, the same as that of a Unity build."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, get_args

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.images import ImageFormat, ImageSpec


@dataclass(frozen=True)
class PlayerOptions:
    """Options of a player.

    Attributes:
        ros_ip: address of the endpoint.
        ros_port: port of the endpoint.
        ros_token: secret that the endpoint asks for; None: it asks for none.
        environment_id: number in the names of the services.
        seed: seed of the episode before the first reset; with several worlds, that of the first world.
        pause: True if simulated time stands still between a response and the next request.
        sample_time: control period, simulated seconds; 0: the scene's own.
        time_scale: simulated seconds per wall-clock second; 0: as fast as possible.
        worlds: number of worlds; several are offered by batched services.
        state_rate: states to publish per simulated second; 0: none.
        camera_rate: frames to publish per simulated second; 0: none.
        image_height: height of the frames in responses, pixels.
        image_width: width of the frames in responses, pixels.
        image_format: format of the frames in responses: `jpeg`, or `rgb8` for raw pixels.
        batch_mode: True for no window.
        graphics: False if the player never renders.
        log_file: path of the log; None: standard error.
    """

    ros_ip: str = "127.0.0.1"
    ros_port: int = 10000
    ros_token: str | None = None
    environment_id: int = 0
    seed: int = 0
    pause: bool = True
    sample_time: float = 0.0
    time_scale: float = 1.0
    worlds: int = 1
    state_rate: float = 0.0
    camera_rate: float = 0.0
    image_height: int = 480
    image_width: int = 640
    image_format: ImageFormat = "jpeg"
    batch_mode: bool = False
    graphics: bool = True
    log_file: Path | None = None

    @property
    def image(self) -> ImageSpec:
        """Size and format of the frames in responses."""
        return ImageSpec(self.image_height, self.image_width, self.image_format)


def parse_options(arguments: Sequence[str]) -> PlayerOptions:
    """Parse the arguments of a player. Unknown ones are ignored, as Unity does.

    Raises:
        InputError: a value is not valid, or simulated time has no pace although it runs on between requests.
    """
    known, _ = _parser().parse_known_args(list(arguments))
    options = PlayerOptions(**vars(known))
    if not options.pause and options.time_scale == 0.0:
        raise InputError(
            "--time-scale: with --pause false simulated time follows the clock, so expected a number greater than 0 "
            "(1.0 is real time), found 0"
        )
    return options


def log_file_of(arguments: Sequence[str]) -> Path | None:
    """Return the log file among the arguments, even if others are wrong: their errors are logged there."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    _add_log_file(parser)
    log_file: Path | None = parser.parse_known_args(list(arguments))[0].log_file
    return log_file


class _Parser(argparse.ArgumentParser):
    """A parser that raises `InputError` instead of printing its usage and exiting."""

    def error(self, message: str) -> NoReturn:
        raise InputError(message.removeprefix("argument "))


def _parser() -> argparse.ArgumentParser:
    # Without -h, which would match unknown arguments that begin with h.
    parser = _Parser(
        prog="player",
        add_help=False,
        allow_abbrev=False,
        description="A simulator that offers its services to a ROS-TCP endpoint, as a Unity player does.",
        epilog="Example: python -m rl_pipeline.players.navigation -batchmode -nographics --ros-port 10000",
    )
    defaults = PlayerOptions()

    def option(flag: str, convert: Callable[[str], object], explanation: str) -> None:
        name = flag.removeprefix("--").replace("-", "_")
        parser.add_argument(flag, type=convert, default=getattr(defaults, name), metavar="VALUE", help=explanation)

    # Unity's own options have one dash, those of this contract two.
    parser.add_argument("--help", action="help", help="show this and exit")
    parser.add_argument("-batchmode", dest="batch_mode", action="store_true", help="open no window")
    parser.add_argument("-nographics", dest="graphics", action="store_false", help="never render")
    _add_log_file(parser)
    option("--ros-ip", str, "address of the endpoint")
    option("--ros-port", _whole("a port from 1 to 65535", 1, 65535), "port of the endpoint")
    option("--ros-token", str, "secret that the endpoint asks for")
    option("--environment-id", _whole("a whole number from 0 up", 0, 2**31 - 1), "number in the services' names")
    option(
        "--seed",
        _whole("a whole number from 0 to 2**32 - 1", 0, 2**32 - 1),
        "seed of the episode before the first reset",
    )
    option("--pause", _truth, "true: simulated time stands still until the next request")
    option("--sample-time", _duration, "control period in simulated seconds; 0: the scene's own")
    option("--time-scale", _duration, "simulated seconds per second; 0: as fast as possible")
    option("--worlds", _whole("a whole number from 1 to 1024", 1, 1024), "worlds to simulate, by batched services")
    option("--state-rate", _duration, "states to publish for each simulated second; 0: none")
    option("--camera-rate", _duration, "frames to publish for each simulated second; 0: none")
    pixels = _whole("a whole number from 16 to 4096", 16, 4096)
    option("--image-height", pixels, "height of the frames in responses, pixels")
    option("--image-width", pixels, "width of the frames in responses, pixels")
    option("--image-format", _image_format, "format of the frames in responses: jpeg or rgb8 (raw pixels)")
    return parser


def _add_log_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-logFile", dest="log_file", type=_log_path, metavar="PATH", help="path of the log")


def _log_path(text: str) -> Path | None:
    # "-" means standard output for Unity.
    return None if text == "-" else Path(text)


def _whole(expected: str, least: int, most: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"expected {expected}, found {text!r}")
        return value

    return convert


def _truth(text: str) -> bool:
    truths = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in truths:
        raise argparse.ArgumentTypeError(f"expected true or false, found {text!r}")
    return truths[text.lower()]


def _image_format(text: str) -> str:
    if text not in get_args(ImageFormat):
        raise argparse.ArgumentTypeError(f"expected {' or '.join(get_args(ImageFormat))}, found {text!r}")
    return text


def _duration(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0.0):
        raise argparse.ArgumentTypeError(f"expected a number from 0 up, found {text!r}")
    return value
