"""What may vary from episode to episode of the duel scene."""

from __future__ import annotations

from dataclasses import dataclass

from rl_pipeline.players.duel.arena import COVER
from rl_pipeline.players.parameters import SceneParameters, within


@dataclass(frozen=True)
class DuelParameters(SceneParameters):
    """As interfaces_pkg/DuelParameters has them.

    Attributes:
        bot_strength: how well the bot that drives red fights.
        cover_pairs: obstacles on each side, rounded.
        dispersion: standard deviation of a shot from where the gun points, rad.
        speed_scale: of the vehicles' speeds.
    """

    bot_strength: float = within(0.5, 0.0, 1.0)
    cover_pairs: float = within(2.0, 0, len(COVER))
    dispersion: float = within(0.02, 0.0, 0.5)
    speed_scale: float = within(1.0, 0.2, 1.5)
