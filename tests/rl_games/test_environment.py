"""Environments of rl_games' files: generic names, limits and stacks."""

from __future__ import annotations

from typing import Any

import pytest

from rl_pipeline.envs.factory import resolve_spaces
from tests.rl_games.conftest import changed
from tests.rl_games.test_translate import config_of


@pytest.mark.parametrize(
    ("env_name", "env_config", "found"),
    [
        ("gymnasium", {"env_name": "CartPole-v1"}, "CartPole-v1"),
        ("openai_gym", {"name": "CartPole-v1"}, "CartPole-v1"),
        ("envpool", {"env_name": "CartPole-v1", "seed": 3}, "CartPole-v1"),
        ("envpool", {"env_name": "Pong-v5", "has_lives": False}, "ALE/Pong-v5"),
        ("Pong-v5", {}, "ALE/Pong-v5"),
        ("PongNoFrameskip-v4", {"env_name": "PongNoFrameskip-v4"}, "PongNoFrameskip-v4"),
    ],
)
def test_generic_names_mean_environments_of_gymnasium(env_name: str, env_config: dict[str, Any], found: str) -> None:
    environment = config_of(changed(config__env_name=env_name, config__env_config=env_config)).environment
    assert (environment.id, environment.env_config) == (found, None)


def test_limits_and_stacks_of_environments_are_this_projects() -> None:
    params = changed(
        config__env_name="openai_gym", config__env_config={"name": "CartPole-v1", "frames": 2, "steps_limit": 9}
    )
    config = config_of(params)
    assert config.environment.horizon == 9
    assert config.wrappers["frame_stack"] == {"n_stack": 2}
    assert resolve_spaces(config)[0].shape == (4,)
