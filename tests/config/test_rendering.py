"""docs/configuration.md and docs/reference.md say what the schema says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rl_pipeline.config import load_config
from rl_pipeline.config.keys import ALIASES, fields
from rl_pipeline.config.rendering import reference
from rl_pipeline.errors import InputError

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "configuration.md").read_text()
ROWS = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in TEXT.splitlines() if line[:2] == "| "]


def test_the_reference_is_what_the_schema_says() -> None:
    assert (DOCS / "reference.md").read_text() == reference(), (
        "python -m rl_pipeline.config.rendering > docs/reference.md"
    )


def test_the_reference_has_every_key_with_its_meaning() -> None:
    lines = reference().splitlines()
    for key, field in fields().items():
        assert field.description
        assert any(line.startswith(f"| `{'.'.join(key)}` | {field.description} | `") for line in lines), key


def test_the_table_of_spellings_is_the_alias_table() -> None:
    listed = {row[0].strip("`"): row[1].strip("`") for row in ROWS if len(row) == 2}
    assert {old: new for old, new in listed.items() if old in ALIASES} == dict(ALIASES)


def test_the_example_files_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```yaml\n(?:# (configs/\S+)\n)?(.*?)```", TEXT.partition("## Errors")[0], flags=re.DOTALL)
    assert len(blocks) == 5
    for path, block in blocks:
        file = Path(path or "mine.yaml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block)
        if not path:
            load_config(config_file=file, imports=False)
    config = load_config("navigation_ppo", overrides=["+robot=ur5"])
    assert config.environment_options["robot"] == {"name": "ur5", "joints": 6}


def test_the_error_example_gives_those_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = re.search(r"```yaml\n(.*?)```.*?```text\n(.*?)```", TEXT.partition("## Errors")[2], flags=re.DOTALL)
    assert shown is not None
    Path("mine.yaml").write_text(shown[1])
    with pytest.raises(InputError) as raised:
        load_config(config_file=Path("mine.yaml"))
    assert str(raised.value) == shown[2].strip()
