"""What all sections of the configuration share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationInfo,
    field_validator,
)

from rl_pipeline.config.values import numbers_unquoted, plain_value
from rl_pipeline.paths import expanded

Hyperparameters = Annotated[dict[str, Any], AfterValidator(numbers_unquoted)]
FileOrName = Annotated[str, AfterValidator(expanded)]
"""A path, or a name that is none: `~` and environment variables are expanded, and what is left is judged later."""


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, and defaults are checked like any other value."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False, coerce_numbers_to_str=True)

    @field_validator("*", mode="before")
    @classmethod
    def _plain_value(cls, value: Any, info: ValidationInfo) -> Any:
        assert info.field_name is not None
        return plain_value(value, cls.model_fields[info.field_name])
