"""Canonical text of a configuration, for `--cfg job` and the experiment folder, and the page of all keys."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from rl_pipeline.config.keys import fields, sections
from rl_pipeline.config.origins import Key
from rl_pipeline.config.schema import Config

_REFERENCE = re.compile(r"(\\*)\$\{")
_WORD = re.compile(r"[A-Za-z_][\w./-]*", re.ASCII)


def render_config(config: Config) -> str:
    """Render every key as YAML. `load_config(config_file=...)` reads an equal configuration from it, but for secrets.

    These are left out, since the text is kept and shared; they belong in `config.yml`, which is read with every run.
    """
    return yaml.dump(_plain(config.model_dump()), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)


def without_secrets(texts: Iterable[str], config: Config) -> list[str]:
    """Replace the secrets of a configuration in texts by `***`: command lines are kept and shared too."""
    token = config.simulation.ros.token
    if token is None:
        return list(texts)
    return [text.replace(token.get_secret_value(), "***") for text in texts]


class _Dumper(yaml.SafeDumper):
    """Quotes all texts but words: OmegaConf takes some for numbers that PyYAML would leave bare, such as 7e-5."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if _WORD.fullmatch(text) else '"')


def _list(dumper: _Dumper, items: list[Any]) -> yaml.Node:
    flat = not any(isinstance(item, dict | list) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)


def _plain(value: Any) -> Any:
    """`value` with paths as text, no secrets, and `${` escaped, which would be resolved when it is read again."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, SecretStr):
        return None
    if isinstance(value, Path):
        value = str(value)
    return _REFERENCE.sub(lambda match: f"{match[1] * 2}\\${{", value) if isinstance(value, str) else value


INTRODUCTION = """\
# Every key of the configuration

Meaning and default of every key. [Configuration](configuration.md) describes the files and overrides that set keys,
the forms of values and the other spellings. `rl-pipeline train --cfg job` prints all keys with their values.

The keys of `simulation` are written without that word in `config.yml`: `ros.tcp_port` is `simulation.ros.tcp_port`.
This page is generated from the schema: `python -m rl_pipeline.config.rendering > docs/reference.md`.
"""


def reference() -> str:
    """Return the page of all keys: a heading and a table for each section, in the order of the schema."""
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
