"""Conversion of YAML values for the schema: strings that mean null or a number, and names."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from rl_pipeline.paths import expanded, expanded_folder

_NULLS = frozenset({"None", "none", "null", "Null", "NULL"})
_WHOLE = re.compile(r"[+-]?\d{1,300}")
_NUMBER = re.compile(r"[+-]?(\d{1,300}\.?\d{0,300}|\.\d{1,300})([eE][+-]?\d{1,5})?")
_SECRET = re.compile(r"[A-Za-z0-9][\w.~+/=-]{7,255}", re.ASCII)
_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union (without the metadata of `Annotated`), or the annotation alone."""
    if get_origin(annotation) is Annotated:
        return alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(member for part in get_args(annotation) for member in alternatives(part))
    return (annotation,)


def is_text(annotation: Any) -> bool:
    """Return True if a string is a valid value, so that '5' must not become a number."""
    return any(part in (str, Path, SecretStr) or get_origin(part) is Literal for part in alternatives(annotation))


def is_text_list(annotation: Any) -> bool:
    """Return True if the value is a list of strings."""
    return any(get_origin(part) is list and is_text(get_args(part)[0]) for part in alternatives(annotation))


def is_mapping(annotation: Any) -> bool:
    """Return True if the value may be a mapping whose keys the schema does not name."""
    return any(get_origin(part) is dict for part in alternatives(annotation))


def plain_value(value: Any, field: FieldInfo) -> Any:
    """Replace strings that stand for null or a number, unless `field` takes a string.

    Null in place of a list or a mapping means the default.

    Raises:
        PydanticCustomError: for true or false in place of a number, which Python would take for 1 or 0.
        ValueError: for a path that cannot be one on this machine.
    """
    # Null: the words for it, unless they are a valid text; then the default of lists and mappings.
    parts = alternatives(field.annotation)
    optional = type(None) in parts
    container = any(get_origin(part) in (list, dict) for part in parts)
    if isinstance(value, str) and value in _NULLS and (optional or container or not is_text(field.annotation)):
        value = None
    if value is None and not optional and container:
        return field.get_default(call_default_factory=True)
    if any(part is Path or (get_origin(part) is list and get_args(part)[0] is Path) for part in parts):
        return _expanded_folders(value)
    if isinstance(value, str) and not is_text(field.annotation) and bool not in parts:
        return unquoted(value)
    if isinstance(value, bool) and bool not in parts and not container:
        raise PydanticCustomError("truth_value", "true and false are no numbers")
    return nulls_unquoted(value) if is_mapping(field.annotation) else value


def _expanded_folders(value: Any) -> Any:
    if isinstance(value, list):
        return [_expanded_folders(item) for item in value]
    return expanded_folder(value) if isinstance(value, str) else value


def listed(value: Any) -> Any:
    """Wrap a single text in a list; return any other value unchanged."""
    return [value] if isinstance(value, str) else value


def nulls_unquoted(value: Any) -> Any:
    """Copy nested lists and mappings with null for the strings 'None' and 'null'."""
    if isinstance(value, dict):
        return {key: nulls_unquoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [nulls_unquoted(item) for item in value]
    return None if isinstance(value, str) and value in _NULLS else value


def numbers_unquoted(value: Any) -> Any:
    """Copy nested lists and mappings with numbers for the strings that spell one."""
    if isinstance(value, dict):
        return {key: numbers_unquoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers_unquoted(item) for item in value]
    return unquoted(value) if isinstance(value, str) else value


def unquoted(text: str) -> int | float | str:
    """Return the number that `text` spells, such as '7e-5', or else `text`."""
    stripped = text.strip()
    if _WHOLE.fullmatch(stripped):
        return int(stripped)
    return float(stripped) if _NUMBER.fullmatch(stripped) else text


def folder_name(name: str) -> str:
    """Return `name` if it can be a folder's name on every system.

    Raises:
        ValueError: if it cannot.
    """
    if not name.strip() or name in (".", "..") or len(name.encode()) > 200 or re.search(r"[\x00-\x1f/\\]", name):
        raise ValueError(
            f"expected a folder name of 1 to 200 bytes, without slashes and control characters, found {name!r}"
        )
    return name


def device_name(name: str) -> str:
    """Return `name` if PyTorch could have a device of that name on some machine.

    Raises:
        ValueError: if it could not.
    """
    if not _DEVICE.fullmatch(name):
        raise ValueError(f"expected auto, cpu, cuda or cuda:N, found {name!r}")
    return name


_REFERENCE_KEYS = ("use_pretrained_model", "experiment_name", "checkpoint")


def model_reference(value: str | dict[str, Any] | None) -> str | None:
    """Return the model that `{use_pretrained_model: true, experiment_name: A, checkpoint: 5000}` means: `A/5000`.

    Raises:
        ValueError: for a mapping with other keys, or without the experiment.
    """
    # A text is the reference itself.
    if not isinstance(value, dict):
        return value if value is None else expanded(value)
    if unknown := [key for key in value if key not in _REFERENCE_KEYS]:
        raise ValueError(f"expected {', '.join(_REFERENCE_KEYS)}, found {unknown[0]!r}")
    if not value.get("use_pretrained_model", True):
        return None
    experiment, checkpoint = value.get("experiment_name"), value.get("checkpoint")
    if not experiment:
        raise ValueError("expected experiment_name, the experiment whose model is meant")
    experiment = expanded(str(experiment))
    return experiment if checkpoint is None else f"{experiment}/{checkpoint}"


def checkpoint_name(value: float | str | None) -> int | str | None:
    """Return `value` if it can be the step or the name of a checkpoint.

    Raises:
        ValueError: if it cannot.
    """
    if value == "all":
        raise ValueError("one run begins from one model; expected steps, final or null, found 'all'")
    if isinstance(value, str):
        value = unquoted(value)
    if isinstance(value, int | float) and (value < 0 or value != int(value)):
        raise ValueError(f"expected the steps of a checkpoint, 0 or more, found {value}")
    return int(value) if isinstance(value, float) else value


def secret(value: Any) -> str | SecretStr:
    """Return `value` if it can be a secret on a command line.

    Raises:
        ValueError: if it cannot; the message does not show it.
    """
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, str | int) or not _SECRET.fullmatch(str(value)):
        raise ValueError(
            "expected 8 to 256 letters, digits and characters of -._~+/=, the first a letter or a digit; "
            "what was found is not shown"
        )
    return str(value)
