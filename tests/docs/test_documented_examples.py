"""The Python examples of the pages that have no test of their own run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TESTED_ELSEWHERE = {"interfaces.md", "algorithms.md", "players.md", "faq.md", "rl_games.md"}
"""Pages whose code is run by the tests of their subject, as are those named add_a..., whose files belong together."""


def examples():
    for page in sorted(DOCS.glob("*.md")):
        if page.name not in TESTED_ELSEWHERE and not page.name.startswith("add_a"):
            for number, code in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)):
                yield pytest.param(code, id=f"{page.name}-{number}")


@pytest.mark.parametrize("code", list(examples()))
def test_documented_example_runs(code, tmp_path):
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
