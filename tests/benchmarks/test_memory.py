"""Memory that the trainer takes for players and for steps."""

import pytest

from rl_pipeline.benchmarks.memory import MAX_GROWTH, MAX_PER_PLAYER, measure_memory


@pytest.mark.slow
def test_players_and_steps_leave_the_trainer_small():
    values = measure_memory(8, seconds=1.0, repetitions=2).values
    assert values["per_player"] < MAX_PER_PLAYER
    assert values["steps"] > 100
    assert values["growth"][-1] < MAX_GROWTH
