"""Read one YAML file as plain values, with errors that show the line at fault."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.yaml_loader import as_numbers, load_yaml

logger = logging.getLogger(__name__)


def shown(path: Path) -> str:
    """The path as messages show it: relative to the working directory where it lies in there."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)


def read_yaml(path: Path, *, last_counts: bool = False) -> dict[Any, Any]:
    """The mapping in a YAML file, `${...}` unresolved; an empty file is an empty mapping.

    Args:
        path: the file.
        last_counts: of a key that is given twice take the last, as PyYAML does, and log a warning; otherwise it is an
            error.

    Raises:
        InputError: if the file cannot be read, is not YAML or does not hold a mapping; UnknownNameError if there is
            no such file.
    """
    tree: dict[Any, Any] = as_numbers(read_settings(path, last_counts=last_counts))
    return tree


def read_settings(path: Path, *, last_counts: bool = False) -> dict[Any, Any]:
    """The same with a `WrittenNumber` for each number: whether the number or its text counts depends on the key."""
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if not path.exists():
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no folder {path.parent}")
        others = [str(path.parent / other.name) for other in sorted(path.parent.glob("*.y*ml"))]
        raise UnknownNameError("file", str(path), others)
    try:
        repeated: list[tuple[int, str]] | None = [] if last_counts else None
        loaded = load_yaml(path.read_text(encoding="utf-8"), repeated)
        if isinstance(loaded, dict):
            OmegaConf.create(as_numbers(loaded))  # raises for what is no `${...}`
    except yaml.MarkedYAMLError as error:
        raise InputError(_syntax_error(path, error)) from error
    except OmegaConfBaseException as error:
        key = f"{error.full_key}: " if error.full_key else ""
        raise InputError(f"{shown(path)}: {key}cannot be read: {str(error).splitlines()[0]}") from error
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise InputError(f"{shown(path)}: cannot be read: {reason}") from error
    for line, key in repeated or ():
        logger.warning("%s: line %d: %s is given again; the last counts", shown(path), line, key)
    if loaded is not None and not isinstance(loaded, dict):
        found = "a list" if isinstance(loaded, list) else "a single value"
        raise InputError(f"{shown(path)}: expected a mapping of sections, found {found}")
    return loaded or {}


def _syntax_error(path: Path, error: Any) -> str:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return f"{shown(path)}: not valid YAML: {error.problem}"
    lines = path.read_text(encoding="utf-8").splitlines()
    line = lines[mark.line].strip() if mark.line < len(lines) else ""
    return (
        f"{shown(path)}: line {mark.line + 1}, column {mark.column + 1}: not valid YAML: "
        f"{error.problem or error.context}: {line!r}"
    )
