"""Resolve `${...}` in merged settings, as OmegaConf does it."""

from __future__ import annotations

import os
import re
from typing import Any

from rl_pipeline.config.layers import Merged
from rl_pipeline.config.wording import found
from rl_pipeline.errors import InputError

_MISSING = "???"
_NAME = re.compile(r"\$\{(\w+)\}")


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
            reason = f"{str(error).splitlines()[0]}{_hint(setting.value)}"
            if setting.value == _MISSING:
                problems.append(InputError(f"{setting.origin}: expected a value, found {_MISSING}, which asks for one"))
            else:
                problems.append(InputError(f"{setting.origin}: cannot resolve {found(setting.value)}: {reason}"))
    return problems


def _hint(value: Any) -> str:
    """For names of environment variables, which a shell would replace: how they are written here."""
    names = [name for name in _NAME.findall(value) if name in os.environ] if isinstance(value, str) else []
    return f"; the environment variable is written ${names[0]} or ${{oc.env:{names[0]}}}" if names else ""


def _refers(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_refers, value.values()))
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, str) and ("${" in value or value == _MISSING)
