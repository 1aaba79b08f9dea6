"""Commands of docs/maintaining.md that test_documented_commands.py does not run exist as they are printed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rl_pipeline

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "maintaining.md").read_text(encoding="utf-8")
COMMANDS = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
TOOLS = sorted(set(re.findall(r"python (tools/\w+\.py)", PAGE)))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_a_target_of_make_exists(command: str) -> None:
    done = run("make", "--dry-run", "--old-file=.venv/bin/pytest", *command.split()[1:])
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "tools/rooms.py"])
def test_a_tool_explains_itself(tool: str) -> None:
    done = run(sys.executable, tool, "--help")
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


def test_paths_of_the_page_exist() -> None:
    paths = re.findall(r"`((?:tests|tools|docs|rl_pipeline|ros_ws|\.ci)/[\w./]+)`", PAGE)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_test_to_repeat_exists() -> None:
    (target,) = re.findall(r"make repeat TEST=(\S+)", PAGE)
    assert (ROOT / target).is_file()


def test_versions_are_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    packages = ROOT / "ros_ws" / "src"
    others = [
        found[1]
        for path in (*packages.glob("*/package.xml"), *packages.glob("*/setup.py"))
        if (found := re.search(r"version(?:>|=\")(\d+\.\d+\.\d+)", path.read_text(encoding="utf-8")))
    ]
    assert len(others) == 3
    assert {project, *others} == {rl_pipeline.__version__}
