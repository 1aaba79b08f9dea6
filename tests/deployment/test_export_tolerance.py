"""The written file is compared with the model on the scale of its actions, and as exactly as float32 allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.config.schema import Config
from rl_pipeline.deployment import export
from rl_pipeline.deployment.exported_policy import ExportedPolicy
from rl_pipeline.evaluation.stub_vec_env import build_for_spaces


def model(algorithm: str, observation: spaces.Space[Any], limit: float) -> BaseAlgorithm:
    config = Config.model_validate({"algorithm": {"name": algorithm}})
    return build_for_spaces(config, observation, spaces.Box(-limit, limit, (6,), np.float32))


def as_onnx(policy: ExportedPolicy) -> export.Runner:
    return export._onnx_runner(export._to_onnx(policy, {}))


@pytest.mark.parametrize("algorithm", ["sac", "td3"])
@pytest.mark.parametrize(("width", "limit"), [(1.0, 0.001), (1.0, 150.0), (1.0, 5000.0), (1e3, 1.0), (1e5, 150.0)])
def test_wide_actions_and_observations_can_be_exported(algorithm: str, width: float, limit: float) -> None:
    trained = model(algorithm, spaces.Box(-width, width, (20,), np.float32), limit)
    policy = ExportedPolicy.of(trained)
    difference, allowed = export._compare(trained, policy, as_onnx(policy))
    assert difference <= allowed < 0.005 * limit


@pytest.mark.parametrize("limit", [0.001, 1.0, 5000.0])
def test_a_small_change_of_the_weights_is_found_whatever_the_range_of_the_actions(limit: float) -> None:
    trained = model("sac", spaces.Box(-1.0, 1.0, (20,), np.float32), limit)
    policy = ExportedPolicy.of(trained)
    with torch.no_grad():
        next(policy.module.parameters()).mul_(1.01)
    run = as_onnx(policy)
    with torch.no_grad():
        next(policy.module.parameters()).div_(1.01)
    difference, allowed = export._compare(trained, policy, run)
    assert difference > allowed


def test_onnx_makes_discrete_observations_one_hot_inside() -> None:
    parts = {"v": spaces.Box(-1.0, 1.0, (3,)), "n": spaces.Discrete(4), "m": spaces.MultiDiscrete([3, 2])}
    trained = model("sac", spaces.Dict(parts), 1.0)
    policy = ExportedPolicy.of(trained)
    assert {name: tuple(example.shape) for name, example in policy.inputs.items()} == {
        "v": (1, 3),
        "n": (1,),
        "m": (1, 2),
    }
    difference, allowed = export._compare(trained, policy, as_onnx(policy))
    assert difference <= allowed
