"""The worlds benchmark, in short."""

import pytest

from rl_pipeline.benchmarks.multi_world import measure_worlds
from tests.support.benchmarks import SHORT, check_figures


@pytest.mark.slow
def test_players_of_one_world_and_of_many_are_measured_with_their_processor_time():
    figures = measure_worlds(players=2, **SHORT)
    check_figures(figures, ["1 player of 16 worlds against 2 players of 1 world"])
    assert min(cost for case in figures.values["cases"] for cost in case["costs"]) > 0
    assert min(figures.values["physics"]) > 0
