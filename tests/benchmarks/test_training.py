"""The training benchmark, in short, with its chart."""

import pytest

from rl_pipeline.benchmarks.training import measure_training
from tests.support.benchmarks import check_figures, is_picture


@pytest.mark.slow
def test_training_is_measured_with_its_curve(tmp_path):
    figures = measure_training(players=2, timesteps=128, repetitions=2)
    check_figures(figures, ["PPO end to end, 2 players, SubprocVecEnv"])
    for side in ("ours", "theirs"):
        assert all(rate > 0 for rate in figures.values[side]["rates"])
        assert all(max(timesteps, default=0) <= 128 for timesteps in figures.values[side]["timesteps"])
    figures.draw(tmp_path / "curves.png")
    assert is_picture(tmp_path / "curves.png")
