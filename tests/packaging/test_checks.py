"""Named checks: one list for the Makefile, tools/checks.bash, the hooks of pre-commit and CONTRIBUTING.md."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "checks.bash"
NAMES = ["format", "lint", "types", "fast", "slow", "docs", "wheel"]
HOOKS = ROOT / ".pre-commit-config.yaml"

FLAKY_TEST = """
from pathlib import Path

def test_every_second_run_fails():
    count = Path(__file__).with_name("count")
    runs = int(count.read_text()) if count.exists() else 0
    count.write_text(str(runs + 1))
    assert runs % 2 == 0
"""


def run(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=250, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the checks and this environment, without the project's code."""
    (tmp_path / "tools").mkdir()
    shutil.copy(SCRIPT, tmp_path / "tools")
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    return tmp_path


def test_make_check_runs_every_check_once() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    printed = run("make", "--dry-run", "--old-file=.venv/bin/pytest", "check").stdout
    assert re.findall(r"checks\.bash (\w+)", printed) == NAMES
    for name in NAMES:
        assert run("make", "--dry-run", "--old-file=.venv/bin/pytest", name).returncode == 0


def test_every_check_is_defined_and_named_in_contributing() -> None:
    defined = re.findall(r"^check_(\w+)\(\)", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(NAMES) <= set(defined)
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"make {name}" not in contributing] == []


def test_an_unknown_check_runs_none(checkout: Path) -> None:
    done = run("bash", "tools/checks.bash", "format", "formt", folder=checkout)
    assert done.returncode == 2
    assert "unknown check 'formt'; one of: format, lint, types" in done.stderr
    assert done.stdout == ""


def test_checks_stop_at_the_first_that_fails(checkout: Path) -> None:
    (checkout / "module.py").write_text("x=1\n")
    done = run("bash", "tools/checks.bash", "format", "lint", folder=checkout)
    assert done.returncode != 0
    assert "module.py" in done.stdout
    assert "All checks passed" not in done.stdout


def test_a_flaky_test_is_counted(checkout: Path) -> None:
    (checkout / "test_flaky.py").write_text(FLAKY_TEST)
    done = run(
        "bash", "tools/checks.bash", "repeat", "test_flaky.py::test_every_second_run_fails", "3", folder=checkout
    )
    assert done.returncode == 1
    assert "assert (1 % 2) == 0" in done.stdout
    assert done.stdout.endswith("run 3 of 3: passed\n1 of 3 runs failed\n")


@pytest.mark.parametrize("arguments", [[], ["test_flaky.py", "many"], ["test_flaky.py", "0"]])
def test_a_repetition_names_the_arguments_that_it_expects(checkout: Path, arguments: list[str]) -> None:
    done = run("bash", "tools/checks.bash", "repeat", *arguments, folder=checkout)
    assert done.returncode == 2
    assert "expected a test and a number of times" in done.stderr


def test_hooks_are_valid_and_need_no_network() -> None:
    done = run(sys.executable, "-m", "pre_commit", "validate-config", str(HOOKS))
    assert done.returncode == 0, done.stdout
    for repository in yaml.safe_load(HOOKS.read_text(encoding="utf-8"))["repos"]:
        assert repository["repo"] == "local"
        assert {hook["language"] for hook in repository["hooks"]} == {"system"}


def test_a_commit_of_unformatted_code_is_stopped(checkout: Path) -> None:
    (checkout / "module.py").write_text("x=1\n")
    shutil.copy(HOOKS, checkout)
    run("git", "init", "--quiet", folder=checkout)
    run("git", "add", "module.py", HOOKS.name, folder=checkout)
    hook = [sys.executable, "-m", "pre_commit", "run", "format"]
    assert run(*hook, folder=checkout).returncode == 1
    assert (checkout / "module.py").read_text() == "x = 1\n"
    run("git", "add", "module.py", folder=checkout)
    assert run(*hook, folder=checkout).returncode == 0
