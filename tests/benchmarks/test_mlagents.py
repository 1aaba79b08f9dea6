"""The mlagents benchmark, in short."""

import pytest

from rl_pipeline.benchmarks.mlagents import measure_mlagents
from tests.support.benchmarks import SHORT, check_figures


def test_mlagents_is_measured_with_one_agent_and_sixteen():
    pytest.importorskip("mlagents_envs")
    names = ["1 agent", "16 agents, 16 worlds in one player"]
    check_figures(measure_mlagents(**SHORT), [f"mlagents-envs, {name}" for name in names])
