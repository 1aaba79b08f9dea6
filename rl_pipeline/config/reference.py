"""docs/reference.md, made from the schema: python -m rl_pipeline.config.reference > docs/reference.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rl_pipeline.config.keys import fields, sections
from rl_pipeline.config.origins import Key

INTRODUCTION = """\
# Every key of the configuration

What each key means and what holds when nobody sets it. [Configuration](configuration.md) tells where keys are set, how
values are read and which other spellings there are. `rl-pipeline train --cfg job` prints them all with their values.

The keys of `simulation` are written without that word in `config.yml`: `ros.tcp_port` is `simulation.ros.tcp_port`.
This page is made from the schema: `python -m rl_pipeline.config.reference > docs/reference.md`.
"""


def reference() -> str:
    """The page: a heading and a table for each section, in the order of the schema."""
    parts = [INTRODUCTION]
    for key, section in sections().items():
        own = {name: field for name, field in fields().items() if name[:-1] == key}
        if own:
            heading = ".".join(key) or ", ".join(name[0] for name in own)
            summary = f"{_summary(section)}\n\n" if key else ""
            parts.append(f"## {heading}\n\n{summary}| key | meaning | default |\n|---|---|---|\n{_rows(own)}")
    return "\n".join(parts)


def _rows(own: dict[Key, FieldInfo]) -> str:
    return "".join(f"| `{'.'.join(key)}` | {field.description} | `{_default(field)}` |\n" for key, field in own.items())


def _summary(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip().splitlines()[0]


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, Path | str):
        return str(value)
    if isinstance(value, BaseModel):
        value = value.model_dump()
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()


if __name__ == "__main__":
    sys.stdout.write(reference())
