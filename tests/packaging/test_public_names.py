"""The names at the top of the package, each imported when it is first asked for."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rl_pipeline

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.mark.parametrize("name", rl_pipeline.__all__)
def test_a_public_name_is_that_of_its_module(name: str) -> None:
    value = getattr(rl_pipeline, name)
    assert value.__name__ == name
    assert getattr(importlib.import_module(value.__module__), name) is value
    assert name in dir(rl_pipeline)


def test_the_page_describes_every_public_name() -> None:
    table = "\n".join(line.split("|")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)", table)) == set(rl_pipeline.__all__)


def test_an_unknown_name_is_an_error_and_a_module_of_the_package_is_none() -> None:
    with pytest.raises(AttributeError, match="module 'rl_pipeline' has no attribute 'Trainer'"):
        _ = rl_pipeline.Trainer
    with pytest.raises(ImportError, match="cannot import name 'Trainer'"):
        exec("from rl_pipeline import Trainer")
    exec("from rl_pipeline import wrappers")


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules); import rl_pipeline; new = set(sys.modules) - before; "
        "own = {name for name in new if name.startswith('rl_pipeline')}; "
        "assert own <= {'rl_pipeline', 'rl_pipeline.version', 'rl_pipeline.lazy_names'}, own; "
        "assert not new & {'numpy', 'torch', 'pydantic', 'yaml'}, new; "
        "from rl_pipeline import InputError; assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
