"""The comparison with plain Stable-Baselines3 runs both sides and says how they compare."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_both_sides_of_the_comparison_have_curves_and_times(tmp_path: Path) -> None:
    figures, picture = tmp_path / "figures.json", tmp_path / "curves.png"
    command = [
        sys.executable, ROOT / "tools/against_sb3.py", "--cases", "cartpole_ppo", "--seeds", "2",
        "--timesteps", "1024", "--json", figures, "--plot", picture,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert "within the 95% interval of plain Stable-Baselines3, wall time" in done.stdout
    (case,) = json.loads(figures.read_text())
    assert case["case"] == "cartpole_ppo"
    assert len(case["wall_time_ratios"]) == len(case["cpu_time_ratios"]) == 2
    assert len(case["sb3"]["mean"]) == len(case["trainer"]["mean"]) == len(case["timesteps"])
    # Nothing that the two do differently changes what is learned: the first episodes are the same.
    assert case["sb3"]["mean"][0] == case["trainer"]["mean"][0]
    assert picture.stat().st_size > 0
