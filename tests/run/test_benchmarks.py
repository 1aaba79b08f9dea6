"""Every benchmark in short: it measures what it says, and its figures hang together. How fast is not judged here."""

import json
import statistics

import pytest

from rl_pipeline.run.benchmarks.images import measure_images
from rl_pipeline.run.benchmarks.mlagents import measure_mlagents

SHORT = {"seconds": 0.1, "repetitions": 2}


def check(figures, bars):
    """Tables are full, values are JSON, and there is a bar of two positive ratios for each name."""
    assert all(len(row) == len(figures.columns) for row in figures.rows)
    json.dumps(figures.values)
    assert [bar.name for bar in figures.bars] == bars
    assert all(len(bar.values) == 2 and statistics.median(bar.values) > 0 for bar in figures.bars)


def test_images_raw_and_compressed_are_measured():
    figures = measure_images(players=2, **SHORT)
    check(figures, ["84 x 84 raw, 2 players", "1280 x 720 raw, 1 player"])
    assert len(figures.rows) == 4


def test_mlagents_is_measured_with_one_agent_and_sixteen():
    pytest.importorskip("mlagents_envs")
    names = ["1 agent", "16 agents, 16 worlds in one player"]
    check(measure_mlagents(**SHORT), [f"mlagents-envs, {name}" for name in names])
