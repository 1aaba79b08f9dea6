"""Files, classes and functions that docs/architecture.md names exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILES = sorted(set(re.findall(r"`((?:\w+/)*\w+\.py)`", PAGE)))
STEPS = [line for line in PAGE.splitlines() if re.match(r"\d+\. ", line)]
HOP = re.compile(r"`((?:\w+/)*\w+\.(?:py|c))` `([\w.]+)\(\)`")
HOPS = sorted(set(HOP.findall(PAGE)))


def definitions(path: Path) -> set[str]:
    """Names of functions and classes of a file, and methods as `Class.method`."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return names


@pytest.mark.parametrize("file", FILES)
def test_a_named_file_exists(file: str) -> None:
    assert (ROOT / "rl_pipeline" / file).is_file()


@pytest.mark.parametrize(("file", "name"), HOPS)
def test_a_named_function_exists(file: str, name: str) -> None:
    path = ROOT / "rl_pipeline" / file
    if path.suffix == ".c":
        assert re.search(rf"\b{name}\(", path.read_text(encoding="utf-8"))
    else:
        assert name in definitions(path)


def test_every_step_of_a_flow_names_a_file_and_a_function() -> None:
    assert [step for step in STEPS if not HOP.search(step)] == []


def test_every_registering_function_exists() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "rl_pipeline").rglob("*.py"))
    for name in re.findall(r"`(register_\w+)`", PAGE):
        assert f"def {name}(" in code
