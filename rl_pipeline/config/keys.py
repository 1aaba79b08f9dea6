"""Keys of the schema by their parts, and the other spellings of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any, Final

from pydantic.fields import FieldInfo

from rl_pipeline.config.origins import Key, dotted
from rl_pipeline.config.schema import Config, Section
from rl_pipeline.config.values import is_mapping


class Kind(Enum):
    """Kind of a key."""

    SECTION = "a section of keys"
    VALUE = "one value"
    MAPPING = "a mapping whose keys the schema does not name, or something within it"
    UNKNOWN = "nothing"


@cache
def fields() -> dict[Key, FieldInfo]:
    """Return the keys that take a value, in the order of the schema."""
    return {key: field for key, field in _walk(Config, ()) if _section(field) is None}


@cache
def sections() -> dict[Key, type[Section]]:
    """Return the keys that have further keys below; the whole configuration has the empty key."""
    nested = {key: model for key, field in _walk(Config, ()) if (model := _section(field)) is not None}
    return {(): Config, **nested}


def kind(key: Key) -> Kind:
    """Return the kind of a canonical key."""
    if key in sections():
        return Kind.SECTION
    for length in range(len(key), 0, -1):
        if (field := fields().get(key[:length])) is not None:
            if is_mapping(field.annotation):
                return Kind.MAPPING
            return Kind.VALUE if length == len(key) else Kind.UNKNOWN
    return Kind.UNKNOWN


def known_part(key: Key) -> Key:
    """Return the longest beginning of `key` that the schema names."""
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


ALIASES: Mapping[str, str] = {
    "n_environments": "simulation.n_environments",
    "worlds_per_player": "simulation.worlds_per_player",
    "environment_processes": "simulation.environment_processes",
    "workspace": "simulation.workspace",
    "backend": "simulation.backend",
    "ros.backend": "simulation.backend",
    "simulation.ros.backend": "simulation.backend",
    "ros": "simulation.ros",
    "unity": "simulation.unity",
    "run": "training",
    "architecture": "algorithm.architecture",
    "algorithm_parameters": "algorithm.parameters",
    "environment_parameters": "environment.parameters",
    "self_play": "training.self_play",
    "training.training": "training",
    "training.algorithm": "algorithm.name",
    "training.algorithm_parameters": "algorithm.parameters",
    "training.architecture": "algorithm.architecture",
    "training.n_envs": "simulation.n_environments",
    "training.n_steps": "training.total_timesteps",
    "training.type": "training.run_type",
    "training.id": "experiment.name",
    "training.eval_seed": "training.eval.seed",
    "training.n_test_episodes": "evaluation.num_episodes",
    "wandb_run.project": "wandb_run.project_name",
}
"""Old dotted key -> canonical dotted key. Keys below an old key move with it."""

NULL_LEAVES_DEFAULT: Final = frozenset({"training.id", "training.eval_seed"})
"""Old dotted keys under which null leaves the default, where the canonical key would refuse it or take it."""

_TABLE: dict[Key, Key] = {tuple(old.split(".")): tuple(new.split(".")) for old, new in ALIASES.items()}
_REFERENCE = re.compile(r"\$\{\s*([A-Za-z_][\w.]*)\s*\}")


def canonical(key: Key) -> Key:
    """Return the canonical spelling of `key`, which may be canonical already."""
    *_, last = _spellings(key)
    return last


def leaves_default(key: Key, value: Any) -> bool:
    """Return True if `value` sets nothing under this spelling of its key: `training.id: null` names no experiment."""
    return value in (None, "None", "null") and any(dotted(each) in NULL_LEAVES_DEFAULT for each in _spellings(key))


def _spellings(key: Key) -> Iterator[Key]:
    """Yield `key` and its translation by one alias after the other, the canonical spelling last."""
    yield key
    while (length := _aliased(key)) is not None:
        key = _TABLE[key[:length]] + key[length:]
        yield key


def canonical_references(value: Any) -> Any:
    """Return `value` with the keys inside `${...}` in canonical spelling, so that old spellings can be referred to."""
    if isinstance(value, dict):
        return {key: canonical_references(item) for key, item in value.items()}
    if isinstance(value, list):
        return [canonical_references(item) for item in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    return _REFERENCE.sub(lambda match: f"${{{dotted(canonical(tuple(match[1].split('.'))))}}}", value)


def aliases_below(key: Key) -> list[str]:
    """Return the last parts of the old keys directly below `key`."""
    return [old[-1] for old in _TABLE if old[:-1] == key]


def _aliased(key: Key) -> int | None:
    """Return the number of parts of `key` that the longest matching old key covers; None: none matches."""
    return next((length for length in range(len(key), 0, -1) if key[:length] in _TABLE), None)
