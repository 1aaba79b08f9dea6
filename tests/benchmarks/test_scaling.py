"""The scaling benchmark, in short, with its chart."""

import pytest

from rl_pipeline.benchmarks.scaling import measure_scaling
from tests.support.benchmarks import SHORT, check_figures, is_picture


@pytest.mark.slow
def test_rate_is_measured_against_players_and_payload(tmp_path):
    figures = measure_scaling(players=2, **SHORT)
    check_figures(figures, [])
    assert [point["players"] for point in figures.values["by_players"]] == [1, 2]
    payloads = [point["response_bytes"] for point in figures.values["by_payload"]]
    assert payloads == sorted(payloads)
    assert payloads[-1] > 3_000_000
    figures.draw(tmp_path / "scaling.png")
    assert is_picture(tmp_path / "scaling.png")
