"""The double-buffer benchmark, in short."""

import pytest

from rl_pipeline.benchmarks.double_buffering import measure_double_buffer
from tests.support.benchmarks import check_figures


@pytest.mark.slow
def test_the_whole_batch_and_halves_are_measured_for_each_speed_and_policy(tmp_path):
    figures = measure_double_buffer(players=2, seconds=0.1, repetitions=1)
    check_figures(figures, [])
    cases = figures.values["cases"]
    assert len(cases) == 4
    assert all(min(rates) > 0 for case in cases for rates in case["rates"].values())
