"""From merged settings to the typed configuration, with errors that name the file and the key as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from rl_pipeline.config.expectations import expectation, found
from rl_pipeline.config.keys import known_part
from rl_pipeline.config.layers import Merged
from rl_pipeline.config.origins import DEFAULT, Key, Origin, Origins
from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError


class InvalidConfigError(InputError):
    """A configuration that the schema refuses.

    Attributes:
        settings: the merged settings, as nested mappings under canonical keys.
        origins: where each came from.
    """

    def __init__(self, problems: Sequence[InputError], settings: dict[Any, Any], origins: Origins) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.settings, self.origins = settings, origins


def validated(merged: Merged, problems: list[InputError]) -> Config:
    """Validate merged settings.

    Args:
        merged: the settings of all layers.
        problems: errors found so far; all are reported together.

    Raises:
        InvalidConfigError: one line for each problem.
    """
    # The schema names canonical keys; the message names the file and the spelling there.
    tree, origins = merged.tree(), merged.origins()
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        for key, message in _first_messages(error, tree).items():
            problems.append(InputError(f"{origins.of(key)}: {message}"))
    if problems:
        raise InvalidConfigError(problems, tree, origins)
    config._origins = origins
    return config


def config_origin(config: Config, key: str) -> Origin:
    """The file a value of a loaded configuration came from, and how its key is spelled there.

    For the start of error messages: `str(config_origin(config, "algorithm.parameters.n_steps"))` is, for instance,
    `configs/my_ppo.yaml: training.algorithm_parameters.n_steps`. A value that no file gives comes from `default`.
    """
    return config._origins.of(tuple(key.split(".")))


def located(error: InputError, config: Config) -> InputError:
    """Put the file before each key that a line of the error begins with, and spell the key as it is there."""
    error.args = ("\n".join(_located_line(line, config._origins) for line in str(error).splitlines()),)
    return error


def _located_line(line: str, origins: Origins) -> str:
    dotted_key, colon, rest = line.partition(": ")
    key = tuple(dotted_key.split("."))
    if not colon or not known_part(key):
        return line
    for length in range(len(key), 0, -1):
        origin = origins.get(key[:length])
        if origin is not None and origin.source != DEFAULT:
            return f"{'.'.join([str(origin), *key[length:]])}: {rest}"
        if origin is not None:
            return line
    within = {origin.source for other, origin in origins.items() if other[: len(key)] == key} - {DEFAULT}
    return f"{origins.of(key)}: {rest}" if len(within) == 1 and len(key) > 1 else line


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
