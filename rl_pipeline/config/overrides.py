"""The overrides of a command line, in Hydra's grammar: `a.b=1`, `+a.b=1`, `~a.b`, and the choice of a group."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rl_pipeline.config.keys import canonical, fields
from rl_pipeline.config.origins import Key
from rl_pipeline.config.values import is_text
from rl_pipeline.config.yaml_loader import as_texts, load_yaml
from rl_pipeline.errors import InputError

COMMAND_LINE = "command line"
_ASSIGNMENT = re.compile(r"\+{0,2}([A-Za-z_][\w./@-]*)=(.*)", re.DOTALL)
_QUOTING = """; a text with such characters is quoted: 'key="text"'"""


@dataclass
class Overrides:
    """A command line's overrides by kind.

    Attributes:
        choices: group choices such as `algorithm=sac`, as Hydra takes them.
        values: dotted keys as spelled, each with its value.
        deletions: dotted keys as spelled.
    """

    choices: list[str] = field(default_factory=list)
    values: list[tuple[Key, Any]] = field(default_factory=list)
    deletions: list[Key] = field(default_factory=list)


def parse_overrides(lines: Sequence[str], check_choice: Callable[[str, str | None], bool]) -> Overrides:
    """Sort the overrides of a command line by kind.

    Args:
        lines: the overrides as written.
        check_choice: returns True if a key is a group; raises for a choice (if not None) that the group does not have.

    Raises:
        InputError: a line is not an override; UnknownNameError as `check_choice` raises it.
    """
    overrides = Overrides()
    for line in lines:
        parsed = _parsed(line)
        key, value = parsed.key, parsed.value
        choices = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        # A key of one part with names as its value may be a group; anything else is a value or a deletion.
        may_choose = len(key) == 1 and (parsed.deletes or _are_names(choices))
        if may_choose and all(check_choice(key[0], choice) for choice in choices or [None]):
            overrides.choices.append(line)
        elif not parsed.deletes:
            overrides.values.append((key, _as_written(key, value, line)))
        elif "=" in line:
            raise InputError(f"{COMMAND_LINE}: {line!r}: expected a key alone after ~, found a value too")
        else:
            overrides.deletions.append(key)
    return overrides


def quoted(text: str) -> str:
    """Quote `text` as the value of an override that is read as exactly this text."""
    escaped = re.sub(r"(\\*)('|$)", lambda match: match[1] * 2 + (r"\'" if match[2] else ""), text)
    return f"'{escaped}'"


def _are_names(choices: list[Any]) -> bool:
    return bool(choices) and all(isinstance(choice, str) for choice in choices)


@dataclass(frozen=True)
class _Parsed:
    key: Key
    value: Any
    deletes: bool


def _parsed(line: str) -> _Parsed:
    """Read an override in Hydra's grammar; a value that the grammar has no place for, such as `~/runs`, is a text."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    # The grammar refuses unquoted paths and non-ASCII words; these are plain texts.
    try:
        override = OverridesParser.create().parse_override(line)
    except HydraException as error:
        assignment = _ASSIGNMENT.fullmatch(line)
        value = _plain_text(assignment[2].strip()) if assignment is not None else None
        if assignment is not None and value is not None:
            return _Parsed(tuple(assignment[1].split(".")), value, deletes=False)
        raise InputError(
            f"{COMMAND_LINE}: cannot read {line!r} ({str(error).splitlines()[0]}); "
            f"expected key=value, such as training.seed=1{_QUOTING if '=' in line else ''}"
        ) from error
    if not override.key_or_group:
        raise InputError(f"{COMMAND_LINE}: cannot read {line!r}; expected key=value, such as training.seed=1")
    key: Key = tuple(override.key_or_group.split("."))
    if override.is_sweep_override():
        hint = _QUOTING if _takes_text(key) else ""
        raise InputError(f"{COMMAND_LINE}: {line!r} gives several values; a list is written [1,2]{hint}")
    return _Parsed(key, override.value(), override.is_delete())


def _plain_text(value: str) -> str | list[str] | None:
    """Return `value` as a text or a list of texts; None for broken brackets, braces and quotes."""
    import yaml

    if not value.startswith(("[", "{", "'", '"')):
        return value
    try:
        items = as_texts(load_yaml(value)) if value.startswith("[") else None
    except yaml.YAMLError:
        return None
    return items if isinstance(items, list) and _are_names(items) else None


def _takes_text(key: Key) -> bool:
    schema = fields().get(canonical(key))
    return schema is not None and is_text(schema.annotation)


def _as_written(key: Key, value: Any, line: str) -> Any:
    """The text behind `=` where the schema wants a string: as a number, the name 2024_01 would read 202401."""
    if _takes_text(key) and isinstance(value, bool | int | float):
        return line.partition("=")[2].strip()
    return value
