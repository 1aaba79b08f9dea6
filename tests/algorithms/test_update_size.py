from __future__ import annotations

from typing import Any

import pytest

from rl_pipeline.algorithms import find_algorithm
from rl_pipeline.algorithms.update_size import check_update_size
from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError


def check(name: str, count: int, parameters: dict[str, Any], total: int = 10_000) -> None:
    sections = {
        "algorithm": {"name": name, "parameters": parameters},
        "simulation": {"n_environments": count},
        "training": {"total_timesteps": total},
    }
    check_update_size(Config.model_validate(sections), find_algorithm(name).load())


@pytest.mark.parametrize(
    ("name", "count", "parameters", "message"),
    [
        ("a2c", 1, {"n_steps": 1, "normalize_advantage": True}, r"n_steps: expected at least 2 in n_steps x n_env"),
        ("ppo", 1, {"n_steps": 1}, r"n_steps: expected at least 2 in n_steps x n_environments \(1\)"),
        ("trpo", 2, {"n_steps": 8, "sub_sampling_factor": 16}, r"sub_sampling_factor: expected less than .* \(16\)"),
        ("recurrent_ppo", 2, {"n_steps": 8, "batch_size": 5}, r"batch_size: 5 leaves a last batch of one sample"),
        ("sac", 2, {"train_freq": [2, "episode"]}, r"train_freq: expected one environment with \[2, 'episode'\]"),
    ],
)
def test_updates_that_the_number_of_environments_rules_out_are_refused(
    name: str, count: int, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=rf"^algorithm\.parameters\.{message}"):
        check(name, count, parameters)


@pytest.mark.parametrize(
    ("name", "count", "parameters"),
    [
        ("a2c", 1, {"n_steps": 1}),
        ("ppo", 1, {"n_steps": 1, "normalize_advantage": False}),
        ("ppo", 1, {"n_steps": 17, "batch_size": 16}),
        ("trpo", 2, {"n_steps": 8, "sub_sampling_factor": 15}),
        ("recurrent_ppo", 2, {"n_steps": 8, "batch_size": 6}),
        ("recurrent_ppo", 2, {"n_steps": 8, "batch_size": None}),
        ("sac", 1, {"train_freq": [2, "episode"]}),
        ("sac", 2, {"train_freq": [2, "step"]}),
        ("ars", 2, {}),
    ],
)
def test_other_updates_are_accepted(name: str, count: int, parameters: dict[str, Any]) -> None:
    check(name, count, parameters)
