"""Layers of the configuration: a file or the command line as settings under canonical keys, and their merge."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rl_pipeline.config.expectations import expectation, found, nearest
from rl_pipeline.config.foreign_keys import FOREIGN_KEYS
from rl_pipeline.config.keys import (
    Kind,
    aliases_below,
    canonical,
    canonical_references,
    fields,
    kind,
    leaves_default,
    sections,
)
from rl_pipeline.config.origins import DEFAULT, Key, Origin, Origins, dotted
from rl_pipeline.config.values import is_text, is_text_list
from rl_pipeline.config.yaml_loader import as_numbers, as_texts
from rl_pipeline.errors import InputError

SWITCHED: tuple[Key, ...] = (("training", "self_play"),)
"""Sections with a key `enabled` that a file switches on by setting another key of them, as ML-Agents does."""


@dataclass(frozen=True)
class Setting:
    """Value of a key, and the place where it is written."""

    value: Any
    origin: Origin


class Layer:
    """Settings of one source, by canonical key, in the order of writing.

    Attributes:
        problems: errors of the source, such as unknown keys; they are not among the settings.
        is_group: True if the source is the file of a group, such as configs/algorithm/ppo.yaml.
    """

    def __init__(self, source: str, entries: Iterable[tuple[Key, Any]]) -> None:
        self.source = source
        self.settings: dict[Key, Setting] = {}
        self.problems: list[InputError] = []
        self.is_group = False
        for key, value in entries:
            self._read(key, value)
        self._switch_on()

    @classmethod
    def of_mapping(cls, source: str, tree: Mapping[Any, Any], package: Key = ()) -> Layer:
        """Return the layer of a file whose content belongs below the key `package`."""
        if package:
            return cls(source, [(package, tree)])
        return cls(source, [(tuple(str(key).split(".")), value) for key, value in tree.items()])

    def _read(self, spelled: Key, value: Any) -> None:
        key = canonical(spelled)
        # Sections and open mappings are read down to single values.
        match kind(key):
            case Kind.UNKNOWN:
                self._problem(_unknown_key(self.source, spelled))
            case Kind.SECTION if isinstance(value, dict):
                for part, item in value.items():
                    self._read((*spelled, *str(part).split(".")), item)
            case Kind.SECTION if (value := as_numbers(value)) not in (None, "None", "null"):
                self._problem(f"{self.source}: {dotted(spelled)}: expected {expectation(key)}, found {found(value)}")
            case Kind.MAPPING if isinstance(value, dict) and value:
                for part, item in value.items():
                    self._read((*spelled, part), item)
            case Kind.MAPPING | Kind.VALUE:
                self._set(spelled, canonical_references(_as_expected(key, value)))

    def _set(self, spelled: Key, value: Any) -> None:
        if leaves_default(spelled, value):
            return
        key = canonical(spelled)
        setting = Setting(value, Origin(self.source, dotted(spelled)))
        # Two spellings of one key in one file may only agree.
        other = self.settings.get(key)
        if other is not None and other.origin != setting.origin and other.value != value:
            self._problem(
                f"{self.source}: {other.origin.key} ({found(other.value)}) and {setting.origin.key} "
                f"({found(value)}) both say what {dotted(key)} is, and differ; keep one"
            )
        self.settings[key] = setting

    def _switch_on(self) -> None:
        """Set `enabled` of a block that sets another key, unless the block sets `enabled` itself."""
        for section in SWITCHED if self.source != DEFAULT else ():
            switch = (*section, "enabled")
            inside = next((self.settings[key] for key in self.settings if key[: len(section)] == section), None)
            if inside is not None and switch not in self.settings:
                block = inside.origin.key.rpartition(".")[0]
                self.settings[switch] = Setting(True, Origin(self.source, f"{block}.enabled"))

    def _problem(self, message: str) -> None:
        if all(str(problem) != message for problem in self.problems):
            self.problems.append(InputError(message))


class Merged:
    """Settings of several layers, the stronger over the weaker; mappings merge, other values are replaced."""

    def __init__(self) -> None:
        self._settings: dict[Key, Setting] = {}

    def __iter__(self) -> Iterator[tuple[Key, Setting]]:
        return iter(list(self._settings.items()))

    def add(self, layer: Layer) -> None:
        """Put a layer over the present ones."""
        for key, setting in layer.settings.items():
            if setting.value == {} and any(other[: len(key)] == key and other != key for other in self._settings):
                continue
            self.remove(key)
            for length in range(1, len(key)):
                self._settings.pop(key[:length], None)
            self._settings[key] = setting

    def revalue(self, key: Key, value: Any) -> None:
        """Replace the value at `key`, and keep its origin."""
        self._settings[key] = replace(self._settings[key], value=value)

    def remove(self, key: Key) -> bool:
        """Drop `key` and everything below it. Return True if there was a setting."""
        doomed = [other for other in self._settings if other[: len(key)] == key]
        for other in doomed:
            del self._settings[other]
        return bool(doomed)

    def tree(self) -> dict[Any, Any]:
        """Return the values as nested mappings."""
        tree: dict[Any, Any] = {}
        for key, setting in self._settings.items():
            node = tree
            for part in key[:-1]:
                node = node.setdefault(part, {})
            node[key[-1]] = setting.value
        return tree

    def origins(self) -> Origins:
        """Return the origin of each value."""
        return Origins({key: setting.origin for key, setting in self._settings.items()})


def _as_expected(key: Key, value: Any) -> Any:
    """Numbers of a file as texts for a key that takes a text, where 2024_01 is a name, else as numbers."""
    field = fields().get(key)
    takes_text = field is not None and (is_text(field.annotation) or is_text_list(field.annotation))
    return as_texts(value) if takes_text else as_numbers(value)


def _unknown_key(source: str, spelled: Key) -> str:
    """Return the message for an unknown key, up to its first wrong part."""
    depth = next(n for n in range(1, len(spelled) + 1) if kind(canonical(spelled[:n])) is Kind.UNKNOWN)
    parent, wrong = spelled[: depth - 1], str(spelled[depth - 1])
    start = f"{source}: unknown key {dotted(spelled[:depth])!r}"
    place = canonical(parent)
    if kind(place) is not Kind.SECTION:
        return f"{start}; {dotted(parent)} takes {expectation(place)}, no further keys"
    # Nearest first: keys of other libraries, then neighbours, then the same name in another section.
    siblings = list(sections()[place].model_fields)
    if (elsewhere := FOREIGN_KEYS.get(wrong)) is not None:
        return f"{start}; did you mean {elsewhere!r}?"
    if (near := nearest(wrong, [*siblings, *aliases_below(parent)])) is not None:
        return f"{start}; did you mean {dotted((*parent, near))!r}?"
    namesakes = [dotted((*section, wrong)) for section, model in sections().items() if wrong in model.model_fields]
    if namesakes:
        return f"{start}; did you mean {' or '.join(map(repr, namesakes))}?"
    if place == ("environment",):
        return f"{start}; keyword arguments of the environment belong below it, as 'environment.env_config.{wrong}'"
    return f"{start}; valid: {', '.join(siblings)}"


_MISSING = "???"
_NAME = re.compile(r"\$\{(\w+)\}")


def resolve(merged: Merged) -> list[InputError]:
    """Replace each `${...}` in `merged` by its value. Return the errors; their settings are removed."""
    pending = [(key, setting) for key, setting in merged if _refers(setting.value)]
    if not pending:
        return []
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    # OmegaConf resolves within the whole tree; a reference that fails is one error and does not hide the others.
    root, problems = OmegaConf.create(merged.tree()), []
    for key, setting in pending:
        try:
            value: Any = root
            for part in key:
                value = value[part]
            if OmegaConf.is_config(value):
                value = OmegaConf.to_container(value, resolve=True, throw_on_missing=True)
            merged.revalue(key, value)
        except OmegaConfBaseException as error:
            merged.remove(key)
            reason = f"{str(error).splitlines()[0]}{_hint(setting.value)}"
            if setting.value == _MISSING:
                problems.append(InputError(f"{setting.origin}: expected a value, found {_MISSING}, which asks for one"))
            else:
                problems.append(InputError(f"{setting.origin}: cannot resolve {found(setting.value)}: {reason}"))
    return problems


def _hint(value: Any) -> str:
    """Return the spelling of an environment variable, for `${NAME}` as a shell has it."""
    names = [name for name in _NAME.findall(value) if name in os.environ] if isinstance(value, str) else []
    return f"; the environment variable is written ${names[0]} or ${{oc.env:{names[0]}}}" if names else ""


def _refers(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_refers, value.values()))
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, str) and ("${" in value or value == _MISSING)
