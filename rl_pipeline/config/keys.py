"""Every key of the schema by its parts, and what each leads to."""

from __future__ import annotations

from enum import Enum
from functools import cache

from pydantic.fields import FieldInfo

from rl_pipeline.config.origins import Key
from rl_pipeline.config.schema import Config, Section
from rl_pipeline.config.values import is_mapping


class Kind(Enum):
    """What a key leads to."""

    SECTION = "a section of keys"
    VALUE = "one value"
    MAPPING = "a mapping whose keys the schema does not name, or something within it"
    UNKNOWN = "nothing"


@cache
def fields() -> dict[Key, FieldInfo]:
    """The keys that take a value, in the order of the schema."""
    return {key: field for key, field in _walk(Config, ()) if _section(field) is None}


@cache
def sections() -> dict[Key, type[Section]]:
    """The keys that lead to further keys; the whole configuration has the empty key."""
    nested = {key: model for key, field in _walk(Config, ()) if (model := _section(field)) is not None}
    return {(): Config, **nested}


def kind(key: Key) -> Kind:
    """What the canonical `key` leads to."""
    if key in sections():
        return Kind.SECTION
    for length in range(len(key), 0, -1):
        if (field := fields().get(key[:length])) is not None:
            if is_mapping(field.annotation):
                return Kind.MAPPING
            return Kind.VALUE if length == len(key) else Kind.UNKNOWN
    return Kind.UNKNOWN


def known_part(key: Key) -> Key:
    """The longest beginning of `key` that the schema names."""
    for length in range(len(key), 0, -1):
        if key[:length] in fields() or key[:length] in sections():
            return key[:length]
    return ()


def _walk(model: type[Section], prefix: Key) -> list[tuple[Key, FieldInfo]]:
    found: list[tuple[Key, FieldInfo]] = []
    for name, field in model.model_fields.items():
        found.append(((*prefix, name), field))
        if (nested := _section(field)) is not None:
            found += _walk(nested, (*prefix, name))
    return found


def _section(field: FieldInfo) -> type[Section] | None:
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None
