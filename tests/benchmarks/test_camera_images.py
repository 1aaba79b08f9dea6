"""The images benchmark, in short."""

import pytest

from rl_pipeline.benchmarks.camera_images import measure_images
from tests.support.benchmarks import SHORT, check_figures


@pytest.mark.slow
def test_images_raw_and_compressed_are_measured():
    figures = measure_images(players=2, **SHORT)
    check_figures(figures, ["84 x 84 raw, 2 players", "1280 x 720 raw, 1 player"])
    assert len(figures.rows) == 4
