"""Charts of figures of every unit."""

from rl_pipeline.benchmarks.charts import draw_bars
from rl_pipeline.benchmarks.figures import RATE, SHARE, TIMES, Bar
from tests.support.benchmarks import is_picture


def test_bars_of_every_unit_are_drawn(tmp_path):
    bars = [Bar("a", [0.5, 0.6], 0.55), Bar("b", [0.2, 0.3], 0.55, SHARE)]
    draw_bars(tmp_path / "bars.png", [*bars, Bar("c", [3, 4], 0.0, TIMES), Bar("d", [90, 95], 80, RATE)])
    assert is_picture(tmp_path / "bars.png")
