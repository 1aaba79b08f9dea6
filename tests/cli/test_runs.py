"""`rl-pipeline runs` on experiments of real trainings."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from rl_pipeline import cli
from rl_pipeline.experiment.folder import existing_experiments

Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert cli.run(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_runs_are_listed_and_filtered(runs: Path, capsys: Capture) -> None:
    text = said(capsys, "runs", "list")
    assert "CartPole-v1/ppo/cart_0" in text
    assert "CartPole-v1/ppo/cart_1" in text
    assert "done" in text
    text = said(capsys, "runs", "list", "--where", "training.seed=1", "--where", "status=done")
    assert "cart_1" in text
    assert "cart_0" not in text
    text = said(capsys, "runs", "list", "--where", "training.sed=1", code=2)
    assert "--where: unknown key 'training.sed'; did you mean 'training.seed'" in text


def test_names_are_whole_in_a_pipe(runs: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    folder = runs / "CartPole-v1/ppo/cart_0"
    name = "a_long_name_" * 12 + "[b]"
    folder.rename(folder.with_name(name))
    for verb in ("list", "compare"):
        assert any(name in line for line in said(capsys, "runs", verb).splitlines())


def test_runs_are_listed_as_json(runs: Path, capsys: Capture) -> None:
    listed = json.loads(said(capsys, "runs", "list", "--json", "--where", "training.seed=1"))
    assert [(run["name"], run["seed"], run["status"]) for run in listed] == [("cart_1", 1, "done")]
    assert listed[0]["folder"] == str(runs / "CartPole-v1/ppo/cart_1")
    assert listed[0]["timesteps"] == 256
    assert isinstance(listed[0]["mean_return"], float)
    assert json.loads(said(capsys, "runs", "list", "--json", "--directory", "nowhere")) == []


def test_comparing_runs_shows_what_differs_and_nothing_else(runs: Path, capsys: Capture) -> None:
    lines = said(capsys, "runs", "compare", "cart_0", "cart_1").splitlines()
    words = [line.split() for line in lines]
    assert ["training.seed", "0", "1"] in words
    assert not any(line.startswith("training.total_timesteps") for line in lines)
    assert "two or more" in said(capsys, "runs", "compare", "cart_0", code=2)


def test_runs_are_removed_once_that_is_confirmed(runs: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    said(capsys, "runs", "remove", "cart_0")
    assert len(existing_experiments(runs)) == 2
    assert "removed" in said(capsys, "runs", "remove", "cart_0", "--yes")
    assert [folder.path.name for folder in existing_experiments(runs)] == ["cart_1"]


def test_a_run_that_seems_to_be_running_is_not_removed_unless_forced(runs: Path, capsys: Capture) -> None:
    metadata = runs / "CartPole-v1/ppo/cart_0/metadata.json"
    metadata.write_text('{"status": "running"}')
    assert "still running" in said(capsys, "runs", "remove", "cart_0", "--yes", code=2)
    assert metadata.exists()
    said(capsys, "runs", "remove", "cart_0", "--yes", "--force")
    assert not metadata.exists()
