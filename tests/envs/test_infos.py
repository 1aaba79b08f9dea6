from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rl_pipeline.envs.infos import episode_success
from rl_pipeline.errors import InputError


@pytest.mark.parametrize(
    "value",
    [True, 1, 1.0, np.True_, np.float32(1), np.array(True), np.array([True]), np.ones((1, 1)), [True], (1,)],
    ids=repr,
)
def test_booleans_numbers_and_arrays_of_one_of_them_count(value: Any) -> None:
    assert episode_success({"is_success": value}) is True


def test_a_tensor_counts() -> None:
    assert episode_success({"is_success": torch.tensor([0.0])}) is False


@pytest.mark.parametrize("info", [{}, {"is_success": None}])
def test_an_environment_may_report_nothing(info: dict[str, Any]) -> None:
    assert episode_success(info) is None


@pytest.mark.parametrize("value", ["yes", np.array([True, False]), [], {"goal": True}, [[1], [2, 3]]], ids=repr)
def test_other_values_are_refused_by_name(value: Any) -> None:
    with pytest.raises(InputError, match=r"info\['is_success'\] at the end of an episode: expected true or false"):
        episode_success({"is_success": value})
