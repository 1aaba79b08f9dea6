"""The pages as a site: complete navigation, working links and anchors, documented public names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import rl_pipeline

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False)
    assert built.returncode == 0, built.stderr
    for page in (ROOT / "docs").glob("*.md"):
        assert (tmp_path / "site" / f"{page.stem}.html").is_file()
    public = (tmp_path / "site" / "api.html").read_text(encoding="utf-8")
    for name in rl_pipeline.__all__:
        assert f'id="rl_pipeline.{name}"' in public, "docs/api.md lacks a public name"
