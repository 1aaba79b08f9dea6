"""The environments benchmark, in short."""

import pytest

from rl_pipeline.benchmarks.environments import measure_environments
from tests.support.benchmarks import SHORT, check_figures


@pytest.mark.slow
def test_environments_are_measured_in_every_way_to_step_them():
    figures = measure_environments(players=2, **SHORT)
    check_figures(figures, [])
    assert all(
        len(rates) == 2 and min(rates) > 0 for case in figures.values["cases"] for rates in case["rates"].values()
    )
