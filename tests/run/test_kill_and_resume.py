"""The benchmark that kills and resumes trainings: its runs are equal, and what differs between two others is named."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rl_pipeline.experiment.folder import ExperimentFolder

BENCHMARKS = Path(__file__).parents[2] / "tools"
NAMES = ["a2c_cosine_rate", "dqn"]


@pytest.fixture(scope="module")
def run_differences() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_differences", BENCHMARKS / "run_differences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_and_resumed_runs_equal_undisturbed_ones(tmp_path: Path, run_differences: ModuleType) -> None:
    command = [
        sys.executable, BENCHMARKS / "kill_and_resume.py", "--runs", "3", "--only", *NAMES,
        "--json", "kills.json", "--keep", "kept",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=880)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = json.loads((tmp_path / "kills.json").read_text())
    assert [outcome["configuration"] for outcome in outcomes] == ["a2c_cosine_rate", "a2c_cosine_rate", "dqn"]
    assert all(outcome["steps"] and not outcome["differences"] for outcome in outcomes)
    assert done.stdout.splitlines()[-1].split()[:2] == ["all", "3"]

    [first], [second] = (
        list((tmp_path / "kept" / name / "undisturbed").glob("experiments/*/*/run")) for name in NAMES
    )  # fmt: skip
    assert run_differences.differences(ExperimentFolder(first), ExperimentFolder(first)) == []
    named = run_differences.differences(ExperimentFolder(first), ExperimentFolder(second))
    assert {"states: learner/counters/_n_updates", "episodes.csv"} <= set(named)
    assert any(name.startswith("model.zip: policy.optimizer/state/0/exp_avg") for name in named)
    assert any(name.startswith("progress.csv: row 1, train/") for name in named)


def test_a_number_of_runs_that_cannot_be_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, BENCHMARKS / "kill_and_resume.py", "--runs", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=250)
    assert done.returncode == 2
    assert "--runs: expected 1 or more, found 0" in done.stderr
