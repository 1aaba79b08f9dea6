import numpy as np
import pytest

from rl_pipeline.players.duel.bot import Bot
from rl_pipeline.players.duel.scene import DuelParameters, DuelScene


@pytest.fixture
def scene():
    return DuelScene()


def winner(scene, strengths, seed, limit=300):
    """Return 1 if blue, driven by a bot of the first strength, wins, -1 if red does, else 0."""
    scene.reset(seed, DuelParameters(bot_strength=strengths[1]))
    blue, red = scene.fighters
    bot = Bot(strengths[0], np.random.default_rng(seed + 10**6), 0.1)
    for _ in range(limit):
        scene._look()
        blue.obey(bot.decide(blue, red, scene.in_sight))
        scene.advance(scene.substeps)
        if 0.0 in (blue.health, red.health):
            break
    return (blue.health > 0.0) - (red.health > 0.0)


def test_the_stronger_bot_wins(scene):
    results = [winner(scene, strengths, seed) for strengths in ((0.9, 0.3), (0.3, 0.9)) for seed in range(10)]
    assert sum(results[:10]) > 4
    assert sum(results[10:]) < -4
