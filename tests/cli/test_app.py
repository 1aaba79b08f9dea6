"""The command as a whole: help, examples, home folder and version."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rl_pipeline import __version__, cli
from rl_pipeline.cli.app import BUILT_IN
from rl_pipeline.cli.registration import VERBS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("verb", [name for verbs in BUILT_IN.values() for name in verbs])
def test_files_of_the_checkout_that_an_example_names_exist(verb):
    example = VERBS[verb].command().epilog or ""
    for path in re.findall(r"[\w./-]+/[\w.-]+\.ya?ml", example):
        assert (ROOT / path).is_file(), path


def test_the_example_of_deploy_names_one():
    assert "vehicle.yaml" in VERBS["deploy"].command().epilog


def call_itself(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As `call`, from the start of the interpreter to its end."""
    command = [Path(sys.executable).with_name("rl-pipeline"), *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=250, check=False)


@pytest.mark.parametrize("verb", ["train", "play", "evaluate", "check", "benchmark", "doctor"])
def test_the_help_of_each_verb_shows_an_example(tmp_path: Path, verb: str) -> None:
    result = call_itself(tmp_path, verb, "--help")
    assert result.returncode == 0
    assert f"Example: rl-pipeline {verb}" in " ".join(result.stdout.split())


def test_help_waits_for_no_heavy_import() -> None:
    heavy = "{'torch', 'hydra', 'numpy', 'wandb'}"
    code = f"import sys, rl_pipeline.cli as c; c.run(['--help']); sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False).returncode == 0


def test_home_is_expanded_where_shells_leave_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls_command: None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("training: {seed: 7}")
    for arguments in (["--config=~/mine.yaml"], ["--config", "~/mine.yaml"]):
        assert cli.run(["train", *arguments, "--cfg", "job"]) == 0
    assert cli.run(["runs", "list", "--directory=~"]) == 0


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str], calls_command: None) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"rl-pipeline {__version__}\n"
