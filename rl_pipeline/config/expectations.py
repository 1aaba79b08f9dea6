"""Expected values of keys, in the words of error messages."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from rl_pipeline.config.keys import fields, sections
from rl_pipeline.config.origins import Key
from rl_pipeline.config.schema import Section
from rl_pipeline.config.values import alternatives

_ONE = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    SecretStr: "a string",
    Path: "a path",
    Any: "a value",
}
_MANY = {int: "whole numbers", float: "numbers", str: "strings", Path: "paths", Any: "values"}


def expectation(key: Key) -> str:
    """Describe the values that the schema allows at one of its keys."""
    if key in sections():
        return f"a section with keys such as {', '.join(list(sections()[key].model_fields)[:3])}"
    field = fields()[key]
    words: list[str] = []
    for part in alternatives(field.annotation):
        words += [repr(choice) for choice in get_args(part)] if get_origin(part) is Literal else [_one(part, field)]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _one(annotation: Any, field: FieldInfo) -> str:
    if annotation is type(None):
        return "null"
    if get_origin(annotation) is list:
        return f"a list of {_many(get_args(annotation)[0])}"
    if get_origin(annotation) is dict:
        return f"a mapping of names to {_many(get_args(annotation)[1])}"
    return _ONE[annotation] + ("" if annotation is bool else _range(annotation, field.metadata))


def _many(annotation: Any) -> str:
    if get_origin(annotation) is list:
        return f"lists of {_many(get_args(annotation)[0])}"
    if get_origin(annotation) is Annotated:
        plain, *limits = get_args(annotation)
        return _MANY[plain] + _range(plain, [item for limit in limits for item in getattr(limit, "metadata", [limit])])
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return f"sections with keys such as {', '.join(list(annotation.model_fields)[:3])}"
    return _MANY[annotation]


def _range(annotation: Any, limits: list[Any]) -> str:
    least = next((limit.ge for limit in limits if isinstance(limit, annotated_types.Ge)), None)
    most = next((limit.le for limit in limits if isinstance(limit, annotated_types.Le)), None)
    above = next((limit.gt for limit in limits if isinstance(limit, annotated_types.Gt)), None)
    if annotation is int and isinstance(above, int):
        least = above + 1
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f" of at least {least}"
    if above is not None:
        return f" above {above}"
    return " that is not empty" if any(isinstance(limit, annotated_types.MinLen) for limit in limits) else ""


MAX_SHOWN = 60
"""Characters of a value that a message shows at most."""


def found(value: Any) -> str:
    """Return `value` as YAML writes it, cut short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def nearest(name: str, valid: Sequence[str]) -> str | None:
    """Return the valid name most similar to `name`; None if none is similar."""
    return next(iter(difflib.get_close_matches(name, valid, n=1, cutoff=0.6)), None)
