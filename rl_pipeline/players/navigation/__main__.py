"""Player of the navigation scene: `python -m rl_pipeline.players.navigation --help`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rl_pipeline.players.main import main

if TYPE_CHECKING:
    from rl_pipeline.players.scene import Scene
    from rl_pipeline.players.worlds import Worlds


def make_scene(sample_time: float, seed: int) -> Scene:
    """Make the navigation scene; imported here, so that wrong options are reported at once."""
    from rl_pipeline.players.navigation.scene import NavigationScene

    return NavigationScene(sample_time, seed)


def make_worlds(sample_time: float, seed: int, count: int) -> Worlds:
    """Make several worlds of the navigation scene, which are stepped together."""
    from rl_pipeline.players.navigation.worlds import NavigationWorlds

    return NavigationWorlds(sample_time, seed, count)


if __name__ == "__main__":
    sys.exit(main(make_scene, make_worlds=make_worlds))
