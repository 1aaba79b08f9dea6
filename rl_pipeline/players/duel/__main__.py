"""Player of the duel scene: `python -m rl_pipeline.players.duel --help`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rl_pipeline.players.main import main

if TYPE_CHECKING:
    from rl_pipeline.players.scene import Scene


def make_scene(sample_time: float, seed: int) -> Scene:
    """Make the duel scene; imported here, so that wrong options are reported at once."""
    from rl_pipeline.players.duel.scene import DuelScene

    return DuelScene(sample_time, seed)


if __name__ == "__main__":
    sys.exit(main(make_scene))
