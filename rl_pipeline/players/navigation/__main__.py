"""The player of the navigation scene: `python -m rl_pipeline.players.navigation --help`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rl_pipeline.players.main import main

if TYPE_CHECKING:
    from rl_pipeline.players.scene import Scene
    from rl_pipeline.players.worlds import Worlds


def make_scene(sample_time: float, seed: int) -> Scene:
    """The navigation scene; imported here so that a bad command line is told of at once."""
    from rl_pipeline.players.navigation.scene import NavigationScene

    return NavigationScene(sample_time, seed)


def make_worlds(sample_time: float, seed: int, count: int) -> Worlds:
    """Several worlds of the navigation scene, simulated together."""
    from rl_pipeline.players.navigation.worlds import NavigationWorlds

    return NavigationWorlds(sample_time, seed, count)


if __name__ == "__main__":
    sys.exit(main(make_scene, make_worlds=make_worlds))
