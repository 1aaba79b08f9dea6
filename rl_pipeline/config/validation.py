"""From merged settings to the typed configuration, with errors that name the file and the key as it was written."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from rl_pipeline.config.expectations import expectation
from rl_pipeline.config.keys import known_part
from rl_pipeline.config.layers import Merged
from rl_pipeline.config.origins import Key, Origin
from rl_pipeline.config.schema import Config
from rl_pipeline.config.wording import found
from rl_pipeline.errors import InputError


def validated(merged: Merged, problems: list[InputError]) -> Config:
    """The configuration that the settings make.

    Args:
        merged: the settings of all layers.
        problems: what is known to be wrong already; all is reported together.

    Raises:
        InputError: one line for each problem.
    """
    tree, origins = merged.tree(), merged.origins()
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        for key, message in _first_messages(error, tree).items():
            problems.append(InputError(f"{origins.of(key)}: {message}"))
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise InputError("\n".join(map(str, problems)))
    config._origins = origins
    return config


def config_origin(config: Config, key: str) -> Origin:
    """The file a value of a loaded configuration came from, and how its key is spelled there.

    For the start of error messages: `str(config_origin(config, "algorithm.parameters.n_steps"))` is, for instance,
    `configs/my_ppo.yaml: training.algorithm_parameters.n_steps`. A value that no file gives comes from `default`.
    """
    return config._origins.of(tuple(key.split(".")))


def _first_messages(error: ValidationError, tree: dict[Any, Any]) -> dict[Key, str]:
    """One message for each key at fault: pydantic has one for each member of a union."""
    messages: dict[Key, str] = {}
    for detail in error.errors():
        key = known_part(detail["loc"])
        if key in messages:
            continue
        if detail["type"] == "value_error":
            messages[key] = str(detail["ctx"]["error"])
        else:
            messages[key] = f"expected {expectation(key)}, found {found(_at(tree, key))}"
    return messages


def _at(tree: dict[Any, Any], key: Key) -> Any:
    value: Any = tree
    for part in key:
        value = value[part]
    return value
