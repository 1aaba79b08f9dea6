"""Measures of a small package that is made up, counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tools import load_tool

load_tool("rooms")
structure = load_tool("structure")

LONG = "\n".join(f"    a{number} = {number}" for number in range(structure.LONG_FUNCTION))
FILES = {
    "rl_pipeline/__init__.py": '"""Made up."""\n',
    "rl_pipeline/envs/stepping.py": f'''"""What is stepped."""

from rl_pipeline.envs import resetting


def commented():
    """Step."""
    # First half.
{LONG}


def bare():
    """Whether what is told is likewise so."""
{LONG}


def short():
    return resetting  # noqa: B018
''',
    "rl_pipeline/envs/resetting.py": "FIRST = 1\n\n# A number.\nSECOND = 2\n",
    "tests/envs/test_stepping.py": "",
    "tests/other/test_resetting.py": "",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_lines_comments_and_words_are_counted(package: Path) -> None:
    found = structure.measure(package, None)
    text = "".join(text for name, text in FILES.items() if name.startswith("rl_pipeline"))
    assert found.lines == sum(bool(line.strip()) for line in text.splitlines())
    assert sum(found.file_lines.values()) == len(text.splitlines())
    assert found.comments == 2, "directives such as noqa are no comments"
    assert found.words == len(
        ["Made", "up.", "What", "is", "stepped.", "Step.", "Whether", "what", "is", "told", "is", "likewise", "so."]
    )
    assert found.whats == 2


def test_long_functions_are_with_and_without_a_comment_are_counted(package: Path) -> None:
    found = structure.measure(package, "envs")
    assert (found.long_functions, found.commented_functions) == (2, 1)
    (place,) = (place for place in found.places if "no comment" in place)
    assert place == f"{package / 'rl_pipeline/envs/stepping.py'}:{line_of('def bare')}: no comment in bare"


def line_of(beginning: str) -> int:
    lines = FILES["rl_pipeline/envs/stepping.py"].splitlines()
    return next(number for number, line in enumerate(lines, start=1) if line.startswith(beginning))


def test_prose_to_avoid_is_listed_with_its_place(package: Path) -> None:
    prose = [place for place in structure.measure(package, "envs").places if "no comment" not in place]
    file = package / "rl_pipeline/envs/stepping.py"
    assert prose == [
        f"{file}:1: What is stepped.",
        f"{file}:{line_of('def bare') + 1}: Whether what is told is likewise so.",
    ]


def test_a_test_counts_in_the_folder_of_its_room_only(package: Path) -> None:
    assert structure.tested_by_name(package, "envs") == (1, 2)
    assert structure.tested_by_name(package, None) == (1, 2)


def test_the_report_has_a_row_for_each_measure(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    structure.print_report(package, None, listed=False)
    rows = capsys.readouterr().out.splitlines()
    assert "| modules whose test is found by name | 50 % of 2 |" in rows
    assert "| functions of 15 lines or more with a comment | 50 % of 2 |" in rows
    assert "| imports of the project by its worst module | 1 (rl_pipeline.envs.stepping) |" in rows
