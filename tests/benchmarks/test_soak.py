"""The soak of a minute: training among faults leaves nothing behind and loses no more than the episodes they hit."""

import json
from pathlib import Path

import pytest

from rl_pipeline.benchmarks.soak import measure_soak


@pytest.mark.slow
def test_training_among_faults_leaks_nothing_and_recovers_within_three_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    figures = measure_soak(
        players=8, minutes=0.5, period=3.0, episodes=8
    )  # half a minute undisturbed, and as many steps again
    found = json.loads(json.dumps(figures.values))
    disturbed, calm = found["among_faults"], found["undisturbed"]
    assert disturbed["timesteps"] > 0
    assert sum(disturbed["faults"].values()) > 0
    assert 0 < disturbed["episodes_lost"] <= 8 * sum(disturbed["faults"].values())
    assert not any(calm["faults"].values())
    assert disturbed["leaked"] == {"processes": 0, "descriptors": 0, "threads": 0}
    assert calm["leaked"]["processes"] == 0
    # Besides the deadline of a step (unity.step_timeout, 2 s here) that a stopped player is given.
    assert 0 < disturbed["longest_recovery"] < 3.0 + 2.0
    assert disturbed["success_rate"] is not None
    assert ("episodes lost", str(disturbed["episodes_lost"]), str(calm["episodes_lost"])) in figures.rows
