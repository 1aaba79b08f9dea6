"""With `training.verbose=0` the command prints nothing but warnings; the log has the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline import cli


def test_a_quiet_training_and_its_resumption_print_warnings_alone(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, calls_command: None, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workplace)
    quiet = ["training.verbose=0", "environment.render_mode=null", "training.total_timesteps=64"]
    assert cli.run(["train", "--config", "cartpole.yaml", *quiet]) == 0
    assert cli.run(["resume", "test", "training.total_timesteps=128"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert {line.split(":")[0] for line in said.err.splitlines()} <= {"warning"}
    (log,) = Path("experiments").glob("*/*/test/train.log")
    assert "evaluating the best model" in log.read_text()
