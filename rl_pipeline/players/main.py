"""Process of a player: command line, log, signals and exit code."""

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
from rl_pipeline.players.rendering.gl_backend import import_mujoco

if TYPE_CHECKING:
    from rl_pipeline.players.scene import Scene, Simulated
    from rl_pipeline.players.worlds import Worlds

logger = logging.getLogger(__name__)

MakeScene = Callable[[float, int], "Scene"]
"""Function from a sample time (s) and a seed to a scene. It imports the scene: wrong options are reported before."""

MakeWorlds = Callable[[float, int, int], "Worlds"]
"""Function from a sample time (s), the seed of the first world and the number of worlds to the worlds."""


def main(
    make_scene: MakeScene, arguments: Sequence[str] | None = None, *, make_worlds: MakeWorlds | None = None
) -> int:
    """Run a player of a scene until a signal or its window ends it.

    Args:
        make_scene: makes the scene.
        arguments: the command line; None: that of the process.
        make_worlds: makes several worlds, for scenes that can step them together; None: scenes are stepped in turn.

    Returns:
        The exit code: 0 after a signal or when the window was closed, 2 for bad input, 1 after a failure.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    should_end = _end_on(signal.SIGTERM, signal.SIGINT)
    try:
        # The log first, so that wrong options are logged too.
        _open_log(log_file_of(arguments))
        options = parse_options(arguments)
        _run(lambda: _simulated(make_scene, make_worlds, options), options, should_end)
    # Exit codes.
    except InputError as error:
        logger.error("%s", error)
        return 2
    except Exception:
        if should_end():  # an extension may turn the SystemExit of a signal into another exception
            return 0
        logger.exception("the player failed")
        return 1
    return 0


def _run(make: Callable[[], Simulated], options: PlayerOptions, should_end: Callable[[], bool]) -> None:
    """Make the scene, its frames and its window, and run the player."""
    # MuJoCo takes long to import: only after the options are known to be valid.
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
        Player(scene, options, frames, viewer).run(should_end)


def _simulated(make_scene: MakeScene, make_worlds: MakeWorlds | None, options: PlayerOptions) -> Simulated:
    """Make the scene, or the number of worlds in the options, with consecutive seeds."""
    if options.worlds == 1:
        return make_scene(options.sample_time, options.seed)
    if make_worlds is not None:
        return make_worlds(options.sample_time, options.seed, options.worlds)
    from rl_pipeline.players.worlds import SceneWorlds

    return SceneWorlds([make_scene(options.sample_time, options.seed + world) for world in range(options.worlds)])


def _open_log(path: Path | None) -> None:
    """Log to a file, or to standard error."""
    try:
        handler = logging.StreamHandler() if path is None else logging.FileHandler(path, mode="w")
    except OSError as error:
        logging.basicConfig(format="%(message)s")
        raise InputError(f"-logFile: cannot write {path}: {error.strerror}") from None
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", handlers=[handler], force=True)
    logging.getLogger("rl_pipeline").setLevel(logging.INFO)


def _end_on(*signals: signal.Signals) -> Callable[[], bool]:
    """Raise SystemExit at the first of these signals, and ignore later ones.

    Returns:
        A function that returns True once a signal has arrived: an extension may swallow the exception, as MuJoCo's does
        where it converts a sequence to an array.
    """
    has_arrived = False

    def end(number: int, frame: FrameType | None) -> NoReturn:
        nonlocal has_arrived
        has_arrived = True
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        logger.info("ended by %s", signal.Signals(number).name)
        sys.exit(0)

    # SystemExit unwinds the stack wherever the process is, so that renderer, window and connection are closed.
    for each in signals:
        signal.signal(each, end)
    return lambda: has_arrived
