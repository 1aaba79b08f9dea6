"""A policy as a module of tensors acts as its model does, whatever the algorithm and the spaces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rl_pipeline.config.schema import Config
from rl_pipeline.deployment.exported_policy import ExportedPolicy, random_observations
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.stub_vec_env import build_for_spaces

VECTOR = spaces.Box(-1.0, 1.0, (5,))
CAMERA = spaces.Box(0, 255, (40, 40, 3), np.uint8)
BOTH = spaces.Dict({"state": VECTOR, "camera": CAMERA})
TORQUES = spaces.Box(np.array([-1.0, 0.0], np.float32), np.array([3.0, 0.5], np.float32))
BUTTONS = spaces.Discrete(4)
GEARS = spaces.MultiDiscrete([3, 4])
MIXED = spaces.Dict({"state": VECTOR, "gear": spaces.Discrete(4), "gears": GEARS, "lamps": spaces.MultiBinary(3)})


def model(algorithm: str, observation: spaces.Space[Any], action: spaces.Space[Any], **parameters: Any) -> Any:
    small = {"n_steps": 8, "batch_size": 8} if algorithm == "ppo" else {}
    config = Config.model_validate({"algorithm": {"name": algorithm, "parameters": {**small, **parameters}}})
    return build_for_spaces(config, observation, action)


@pytest.mark.parametrize(
    ("algorithm", "observation", "action", "parameters"),
    [
        ("ppo", VECTOR, TORQUES, {}),
        ("ppo", VECTOR, TORQUES, {"use_sde": True}),
        ("ppo", VECTOR, BUTTONS, {}),
        ("ppo", VECTOR, spaces.MultiDiscrete([2, 3]), {}),
        ("ppo", CAMERA, BUTTONS, {}),
        ("ppo", BOTH, TORQUES, {}),
        ("ppo", BUTTONS, TORQUES, {}),
        ("ppo", GEARS, BUTTONS, {}),
        ("ppo", MIXED, TORQUES, {}),
        ("sac", MIXED, TORQUES, {}),
        ("dqn", spaces.MultiBinary(3), BUTTONS, {}),
        ("a2c", VECTOR, spaces.MultiBinary(3), {}),
        ("sac", VECTOR, TORQUES, {}),
        ("td3", VECTOR, TORQUES, {}),
        ("tqc", VECTOR, TORQUES, {}),
        ("crossq", VECTOR, TORQUES, {}),
        ("dqn", VECTOR, BUTTONS, {}),
        ("qrdqn", VECTOR, BUTTONS, {}),
        ("ars", VECTOR, TORQUES, {}),
    ],
)
def test_an_exported_policy_acts_as_its_model(
    algorithm: str, observation: spaces.Space[Any], action: spaces.Space[Any], parameters: dict[str, Any]
) -> None:
    trained = model(algorithm, observation, action, **parameters)
    policy = ExportedPolicy.of(trained)
    observations = random_observations(trained.policy.observation_space, 32, seed=1)
    expected, _ = trained.policy.predict(observations, deterministic=True)
    with torch.no_grad():
        actions = policy.module(*policy.tensors(observations)).numpy()
    np.testing.assert_allclose(actions.reshape(expected.shape), expected, atol=1e-5)
    assert policy.outputs == ["continuous_actions" if isinstance(action, spaces.Box) else "discrete_actions"]
    assert list(policy.inputs) == (list(observation.spaces) if isinstance(observation, spaces.Dict) else ["obs_0"])


def test_a_recurrent_policy_carries_its_state() -> None:
    trained = model("recurrent_ppo", VECTOR, TORQUES, n_steps=8, batch_size=8)
    policy = ExportedPolicy.of(trained)
    assert policy.recurrent
    assert policy.outputs == ["continuous_actions", "hidden_out", "cell_out"]
    first, second = (random_observations(VECTOR, 3, seed) for seed in (1, 2))
    expected, state = trained.policy.predict(first, deterministic=True)
    expected_then, _ = trained.policy.predict(second, state, np.zeros(3, bool), deterministic=True)
    with torch.no_grad():
        actions, hidden, cell = policy.module(*policy.tensors(first))
        actions_then, _, _ = policy.module(torch.as_tensor(second), hidden, cell)
    np.testing.assert_allclose(actions, expected, atol=1e-5)
    np.testing.assert_allclose(actions_then, expected_then, atol=1e-5)


def test_observations_that_no_tensor_stands_for_are_refused() -> None:
    trained = model("ppo", VECTOR, BUTTONS)
    trained.policy.observation_space = spaces.Text(5)
    with pytest.raises(InputError, match=r"cannot export a policy that observes Text.*expected Box, Discrete"):
        ExportedPolicy.of(trained)
