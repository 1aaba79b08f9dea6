"""Experiment folders written by former versions resume, evaluate and play with the present one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rl_pipeline import cli

FOLDERS = Path(__file__).parents[1] / "support" / "experiments"
ENVIRONMENTS = {"before_ppo": "Navigation-v0/ppo", "before_sac": "Navigation-v0/sac", "before_duel": "Duel-v0/ppo"}
"""A normalized PPO, a SAC with its replay buffer, and self-play with its pool of opponents."""


def copy_experiment(name: str, workplace: Path) -> Path:
    return Path(shutil.copytree(FOLDERS / name, workplace / "experiments" / ENVIRONMENTS[name] / name))


def run_command(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(words))
    return int(ended.value.code or 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_former_experiment_resumes_and_is_evaluated(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = copy_experiment(name, tmp_path)
    former = json.loads((folder / "metadata.json").read_text())["timesteps"]
    assert run_command("resume", name, "environment.render_mode=null", f"training.total_timesteps={former + 128}") == 0
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["status"] == "done"
    assert metadata["timesteps"] >= former + 128
    assert run_command("evaluate", "--experiment", name, "--episodes", "2") == 0
