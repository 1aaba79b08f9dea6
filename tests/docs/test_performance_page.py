"""Figures of a run of all benchmarks go into the table of the page; the rest of the page stays."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT, PAGE = ROOT / "tools" / "performance_page.py", ROOT / "docs" / "performance.md"


def write(figures, page):
    command = [sys.executable, str(SCRIPT), str(figures), str(page)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_figures_replace_those_of_the_run_before(tmp_path):
    figures, page = tmp_path / "all.json", tmp_path / "performance.md"
    page.write_text(PAGE.read_text())
    found = [
        {"name": "1 player", "unit": "share of the echo", "values": [0.5, 0.6, 0.7], "reach": 0.55},
        {"name": "8 players", "unit": "steps/s", "values": [1234.5], "reach": 0.0},
    ]
    figures.write_text(json.dumps({"figures": found}))
    for _ in range(2):
        assert write(figures, page).returncode == 0
    text = page.read_text()
    assert text.count("| 1 player | 0.60 share of the echo | 0.50 to 0.70 | 0.55 |") == 1
    assert "| 8 players | 1,234 steps/s | 1,234 to 1,234 |  |" in text
    before, after = PAGE.read_text(), text
    assert after.partition("<!-- figures -->")[0] == before.partition("<!-- figures -->")[0]
    assert after.partition("<!-- end of figures -->")[2] == before.partition("<!-- end of figures -->")[2]


def test_page_without_markers_is_left_alone(tmp_path):
    figures, page = tmp_path / "all.json", tmp_path / "page.md"
    figures.write_text('{"figures": []}')
    page.write_text("# A page")
    done = write(figures, page)
    assert done.returncode == 2
    assert "expected the markers" in done.stderr
    assert page.read_text() == "# A page"
