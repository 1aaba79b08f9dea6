"""Player of a scene in a user's module: `python -m rl_pipeline.players --scene my_scene:PendulumScene --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from rl_pipeline.errors import InputError
from rl_pipeline.players.main import MakeScene, main
from rl_pipeline.plugins import import_user_module

if TYPE_CHECKING:
    from rl_pipeline.players.scene import Scene


def run(arguments: Sequence[str]) -> int:
    """Run a player of the scene `--scene module:Class`; return its exit code."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--scene", default="")
    parser.add_argument("--scene-folder", type=Path, default=Path())
    options, rest = parser.parse_known_args(list(arguments))
    return main(lambda sample_time, seed: _make_scene(options.scene, options.scene_folder, sample_time, seed), rest)


def _make_scene(location: str, folder: Path, sample_time: float, seed: int) -> Scene:
    """Make the scene `module:Class`; its module is imported from `folder` if Python does not find it elsewhere."""
    module, _, name = location.partition(":")
    if not module or not name:
        raise InputError(f"--scene: expected module:Class, such as my_scene:PendulumScene, found {location!r}")
    # At the end of the path, so that no file there replaces a library.
    sys.path.append(str(folder.absolute()))
    imported = import_user_module(module, "--scene")
    try:
        make_scene: MakeScene = attrgetter(name)(imported)
    except AttributeError:
        raise InputError(f"--scene: {module} has no {name}") from None
    return make_scene(sample_time, seed)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
