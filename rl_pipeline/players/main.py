"""A player's process: command line, log, signals and exit code."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from rl_pipeline.errors import InputError
from rl_pipeline.players.options import PlayerOptions, log_file_of, parse_options
from rl_pipeline.players.rendering.mujoco_gl import import_mujoco

if TYPE_CHECKING:
    from rl_pipeline.players.scene import Scene, Simulated
    from rl_pipeline.players.worlds import Worlds

logger = logging.getLogger(__name__)

MakeScene = Callable[[float, int], "Scene"]
"""Makes the scene for a sample time (s) and a seed; it should import what it needs only then."""

MakeWorlds = Callable[[float, int, int], "Worlds"]
"""Makes worlds for a sample time (s), the seed of the first and their number."""


def main(
    make_scene: MakeScene, arguments: Sequence[str] | None = None, *, make_worlds: MakeWorlds | None = None
) -> int:
    """Run a player of a scene until it is told to end.

    Args:
        make_scene: makes the scene.
        arguments: the command line; None: that of the process.
        make_worlds: makes several worlds of it in a way of its own; None: they are scenes, simulated in turn.

    Returns:
        The exit code: 0 told to end by a signal or by closing its window, 2 bad input, 1 failed.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    told_to_end = _end_on(signal.SIGTERM, signal.SIGINT)
    try:
        _open_log(log_file_of(arguments))
        options = parse_options(arguments)
        _run(lambda: _simulated(make_scene, make_worlds, options), options, told_to_end)
    except InputError as error:
        logger.error("%s", error)
        return 2
    except Exception:
        if told_to_end():  # an extension that was left in the middle may have made another exception of it
            return 0
        logger.exception("the player failed")
        return 1
    return 0


def _run(make: Callable[[], Simulated], options: PlayerOptions, told_to_end: Callable[[], bool]) -> None:
    # MuJoCo is imported only when the command line is known to be good.
    import_mujoco()
    from rl_pipeline.players.player import Player
    from rl_pipeline.players.rendering.frame_source import FrameSource

    scene = make()
    frames = (
        FrameSource(scene.model, scene.data, scene.camera, scene.picture, options.image) if options.graphics else None
    )
    with contextlib.ExitStack() as stack:
        if frames is not None:
            stack.callback(frames.close)
        viewer = None
        if not options.batch_mode:
            from rl_pipeline.players.rendering.viewer import Viewer

            viewer = Viewer(scene.model, scene.data, scene.camera, scene.picture)
            stack.callback(viewer.close)
        Player(scene, options, frames, viewer).run(told_to_end)


def _simulated(make_scene: MakeScene, make_worlds: MakeWorlds | None, options: PlayerOptions) -> Simulated:
    """The scene, or as many worlds of it as were asked for, with consecutive seeds."""
    if options.worlds == 1:
        return make_scene(options.sample_time, options.seed)
    if make_worlds is not None:
        return make_worlds(options.sample_time, options.seed, options.worlds)
    from rl_pipeline.players.worlds import SceneWorlds

    return SceneWorlds([make_scene(options.sample_time, options.seed + world) for world in range(options.worlds)])


def _open_log(path: Path | None) -> None:
    try:
        handler = logging.StreamHandler() if path is None else logging.FileHandler(path, mode="w")
    except OSError as error:
        logging.basicConfig(format="%(message)s")
        raise InputError(f"-logFile: cannot write {path}: {error.strerror}") from None
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", handlers=[handler], force=True)
    logging.getLogger("rl_pipeline").setLevel(logging.INFO)


def _end_on(*signals: signal.Signals) -> Callable[[], bool]:
    """Leave by SystemExit at the first of these signals, wherever the process is; later ones change nothing.

    Returns:
        Whether that has been: an extension may have swallowed the exception, as MuJoCo's does where it converts a
        sequence to an array.
    """
    told = False

    def end(number: int, frame: FrameType | None) -> NoReturn:
        nonlocal told
        told = True
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        logger.info("ended by %s", signal.Signals(number).name)
        sys.exit(0)

    for each in signals:
        signal.signal(each, end)
    return lambda: told
