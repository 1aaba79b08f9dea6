"""The overrides of a command line, in Hydra's grammar: `a.b=1`, `+a.b=1`, `~a.b`, and the choice of a group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rl_pipeline.config.aliases import canonical
from rl_pipeline.config.keys import fields
from rl_pipeline.config.origins import Key
from rl_pipeline.config.values import is_text
from rl_pipeline.errors import InputError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

COMMAND_LINE = "command line"


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
        check_choice: whether a key is a group; raises for a choice (if not None) that the group does not have.

    Raises:
        InputError: for what is no override; UnknownNameError as `check_choice` raises it.
    """
    overrides = Overrides()
    for line in lines:
        override = _parsed(line)
        name, value = override.key_or_group, override.value()
        key: Key = tuple(name.split("."))
        choice = value if isinstance(value, str) else None
        may_choose = len(key) == 1 and (choice is not None or override.is_delete())
        if may_choose and check_choice(name, choice):
            overrides.choices.append(line)
        elif not override.is_delete():
            overrides.values.append((key, _as_written(key, value, line)))
        elif "=" in line:
            raise InputError(f"{COMMAND_LINE}: {line!r}: expected a key alone after ~, found a value too")
        else:
            overrides.deletions.append(key)
    return overrides


def _parsed(line: str) -> Override:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        override = OverridesParser.create().parse_override(line)
    except HydraException as error:
        raise InputError(
            f"{COMMAND_LINE}: cannot read {line!r} ({str(error).splitlines()[0]}); "
            "expected key=value, such as training.seed=1"
        ) from error
    if not override.key_or_group:
        raise InputError(f"{COMMAND_LINE}: cannot read {line!r}; expected key=value, such as training.seed=1")
    if override.is_sweep_override():
        raise InputError(f"{COMMAND_LINE}: {line!r} gives several values; a list is written [1,2]")
    return override


def _as_written(key: Key, value: Any, line: str) -> Any:
    """The text behind `=` where the schema wants a string: as a number, the name 2024_01 would read 202401."""
    schema = fields().get(canonical(key).key)
    if schema is not None and is_text(schema.annotation) and isinstance(value, bool | int | float):
        return line.partition("=")[2].strip()
    return value
