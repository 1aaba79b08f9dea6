"""Exit codes and the one line of an error, as a process of its own shows them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rl_pipeline import cli
from rl_pipeline.cli.exit import BAD_INPUT
from tests.support import prepared


def call(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return prepared.run(["rl-pipeline", *arguments], directory)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--config", "cartpole.yaml", "training.seeed=1"], "training.seeed"),
        (["train", "--config", "cartpole.yaml", "experiment.directory=/proc/none"], "cannot write to /proc/none"),
        (["train", "--config", "cartpole.yaml", "--cfg", "all"], "--cfg: expected job, found 'all'"),
        (["play", "--model", "none.zip"], "no experiment with a trained model"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(workplace: Path, arguments: list[str], message: str) -> None:
    result = call(workplace, *arguments)
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.count("error: ") == 1


def test_an_unknown_option_is_exit_code_2(tmp_path: Path) -> None:
    result = call(tmp_path, "train", "--confg", "x")
    assert result.returncode == 2
    assert "--confg" in result.stderr


def test_debug_shows_where_and_the_error_and_its_code(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["train", "--config", "none.yaml", "--debug"]) == BAD_INPUT
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1].startswith("error: unknown file 'none.yaml'")
