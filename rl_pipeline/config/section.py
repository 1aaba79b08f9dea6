"""Base class of the sections of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from rl_pipeline.config.values import numbers_unquoted, plain_value
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.paths import expanded

Hyperparameters = Annotated[dict[str, Any], AfterValidator(numbers_unquoted)]
FileOrName = Annotated[str, AfterValidator(expanded)]
"""Path or name: `~` and environment variables are expanded; the reader of the value decides which it is."""


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, and defaults are checked like any other value."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False, coerce_numbers_to_str=True)

    @field_validator("*", mode="before")
    @classmethod
    def _plain_value(cls, value: Any, info: ValidationInfo) -> Any:
        assert info.field_name is not None
        return plain_value(value, cls.model_fields[info.field_name])


S = TypeVar("S", bound=Section)


def read_section(section: type[S], given: Mapping[str, Any], where: str, kind: str) -> S:
    """Return settings that the schema leaves open, such as those of a logger, as the section that they make.

    Args:
        section: class of the settings.
        given: settings by name.
        where: key of the settings in the configuration.
        kind: name of a setting in an error message, such as `setting of wandb`.

    Raises:
        UnknownNameError: the section has no such setting; the message has the nearest one.
        InputError: a value is not valid.
    """
    for key in given:
        if key not in section.model_fields:
            raise UnknownNameError(kind, str(key), section.model_fields, where=f"{where}.{key}")
    # The first error is enough: these sections are small.
    try:
        return section.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in (where, *first["loc"]))
        raise InputError(f"{key}: {first['msg'].lower()}, found {first['input']!r}") from error
