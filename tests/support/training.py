"""Fixtures for tests that train for a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rl_pipeline.config.schema import Config

MakeConfig = Callable[..., Config]

CARTPOLE = """
experiment: {name: test}
environment: {id: CartPole-v1, horizon: 40, video_wrapper: false}
algorithm:
  name: ppo
  parameters: {policy: MlpPolicy, n_steps: 32, batch_size: 32, n_epochs: 1}
training: {total_timesteps: 128, device: cpu, log_points: 1, eval: {num_evals: 1, num_episodes: 2}}
evaluation: {num_episodes: 3}
simulation: {n_environments: 2}
"""


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with `cartpole.yaml`, a run of a second, to call the command in."""
    (tmp_path / "cartpole.yaml").write_text(CARTPOLE)
    return tmp_path


@pytest.fixture
def make_config(tmp_path: Path) -> MakeConfig:
    """A configuration of a run of a second in CartPole, with some keys of some sections changed."""

    def make(**changes: dict[str, Any]) -> Config:
        sections: dict[str, dict[str, Any]] = {
            "experiment": {"name": "test", "directory": tmp_path / "experiments"},
            "environment": {"id": "CartPole-v1", "horizon": 40, "video_trigger": 100, "video_length": 20},
            "algorithm": {"name": "ppo", "parameters": {"n_steps": 32, "batch_size": 32, "n_epochs": 2}},
            "training": {
                "total_timesteps": 256,
                "log_points": 2,
                "device": "cpu",
                "eval": {"num_evals": 2, "num_episodes": 3},
            },
            "evaluation": {"num_episodes": 4},
            "simulation": {"n_environments": 2},
        }
        for section, keys in changes.items():
            sections.setdefault(section, {}).update(keys)
        return Config.model_validate(sections)

    return make
