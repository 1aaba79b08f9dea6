"""Resolve `${...}` in merged settings, as OmegaConf does it."""

from __future__ import annotations

from typing import Any

from rl_pipeline.config.layers import Merged
from rl_pipeline.config.wording import found
from rl_pipeline.errors import InputError

_MISSING = "???"


def resolve(merged: Merged) -> list[InputError]:
    """Replace each `${...}` in `merged` by what it refers to. Returns what could not be, without it."""
    pending = [(key, setting) for key, setting in merged if _refers(setting.value)]
    if not pending:
        return []
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

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
            reason = str(error).splitlines()[0]
            if setting.value == _MISSING:
                problems.append(InputError(f"{setting.origin}: expected a value, found {_MISSING}, which asks for one"))
            else:
                problems.append(InputError(f"{setting.origin}: cannot resolve {found(setting.value)}: {reason}"))
    return problems


def _refers(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_refers, value.values()))
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, str) and ("${" in value or value == _MISSING)
