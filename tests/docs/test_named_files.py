"""Files of the repository that pages name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md")), *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [page for page in PAGES if not page.name.startswith("add_a")]  # they name files that readers write
PATH = re.compile(r"`(?:python |bash )?((?:tests|tools|rl_pipeline|ros_ws|examples|docker)/[\w/]+\.\w+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    named = PATH.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).is_file()] == []
