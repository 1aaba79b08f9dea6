"""Every experiment file of configs/ trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline import cli

CONFIGS = Path(__file__).parents[2] / "configs"
ADD_ONS = {"consistent_seeding", "eval"}
EXPERIMENTS = sorted(path.stem for path in CONFIGS.glob("*.yaml") if path.stem not in ADD_ONS)
SHORT = [
    "training.total_timesteps=512",
    "training.use_wandb=false",
    "training.run_type=debug",
    "training.eval.num_evals=0",
    "evaluation.num_episodes=1",
    "environment.horizon=16",
    "training.device=cpu",
    "n_environments=16",
    "worlds_per_player=16",
    "ros.tcp_port=0",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_shipped_experiment_trains(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    calls_command: None,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["train", "--config-name", name, *SHORT]) == 0, capsys.readouterr().err
    assert "trained" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
