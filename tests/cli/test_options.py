"""Options that several verbs share: experiments and their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline import cli

Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert cli.run(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["plot", "--output", "curves.png"],
        ["runs", "list"],
        ["runs", "remove", "--yes"],
        ["evaluate", "--episodes", "1"],
        ["export", "--output", "agent.onnx"],
        ["resume", "training.total_timesteps=288"],
    ],
)
def test_every_verb_finds_experiments_by_the_same_options(runs: Path, capsys: Capture, arguments: list[str]) -> None:
    elsewhere = Path("ü, 'a b'")
    runs.rename(elsewhere)
    said(capsys, *arguments, "--experiment", "cart_1", code=2)
    said(capsys, *arguments, "--directory", str(elsewhere), "--experiment", "cart_1")
    said(capsys, *arguments, "--experiment", "cart_0", "--directory", "nowhere", code=2)


def test_folders_are_taken_by_the_same_options_and_config_yml_says_where_they_are(runs: Path, capsys: Capture) -> None:
    elsewhere = Path("ü")
    runs.rename(elsewhere)
    folder = str(elsewhere / "CartPole-v1/ppo/cart_0")
    assert "cart_1" not in said(capsys, "runs", "list", "--experiment", folder)
    said(capsys, "plot", "--experiment", folder, "--experiment", str(elsewhere / "CartPole-v1/ppo/cart_1"))
    Path("config.yml").write_text("experiment: {directory: ü}\n")
    assert "cart_1" in said(capsys, "runs", "list")
    assert said(capsys, "runs", "remove", code=2).startswith("error: expected the experiments to remove")
    assert said(capsys, "resume", code=2).startswith("error: expected the experiment to resume")
