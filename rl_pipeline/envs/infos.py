"""Values of infos, which environments report as scalars or as arrays of one element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from rl_pipeline.errors import InputError

SUCCESS: Final = "is_success"


def single_number(value: Any) -> float | None:
    """Read a boolean or number, or one in an array, list or tensor of one element; None for anything else."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):  # ragged lists, tensors on a GPU
        return None
    return float(array.item()) if array.size == 1 and array.dtype.kind in "biuf" else None


def episode_success(info: Mapping[str, Any]) -> bool | None:
    """Read `is_success` from the info of an episode's last step.

    Returns:
        None when the info has no such key, or null.

    Raises:
        InputError: the value is not a single boolean or number.
    """
    # Absent or null: the task reports no success.
    value = info.get(SUCCESS)
    if value is None:
        return None
    number = single_number(value)
    if number is None:
        raise InputError(
            f"info[{SUCCESS!r}] at the end of an episode: expected true or false, or an array of one such value, "
            f"found {value!r}"
        )
    return bool(number)
