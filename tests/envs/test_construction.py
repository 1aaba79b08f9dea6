"""Gymnasium's own environments are there after the one install command."""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium
import pytest

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.errors import InputError

JAX = ("gymnasium.envs.phys2d", "gymnasium.envs.tabular")
MUJOCO_2 = "Pusher-v4"


def needs_another_package(spec: gymnasium.envs.registration.EnvSpec) -> bool:
    entry_point = str(spec.entry_point)
    moved = entry_point.startswith("gymnasium.envs.mujoco") and spec.version in (2, 3)
    return moved or entry_point.startswith(JAX) or spec.id in (MUJOCO_2, "GymV21Environment-v0", "GymV26Environment-v0")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_environment_of_gymnasium_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo logs its warnings there
    specs = [spec for spec in gymnasium.registry.values() if str(spec.entry_point).startswith("gymnasium.")]
    made = [spec.id for spec in specs if not needs_another_package(spec)]
    for env_id in made:
        gymnasium.make(env_id).close()
    assert {"Ant-v5", "Humanoid-v4", "BipedalWalker-v3", "FrozenLake-v1", "CartPole-v1"} <= set(made)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    config = Config.model_validate({"environment": {"id": "phys2d/CartPole-v1"}})
    with pytest.raises(InputError, match=r"phys2d/CartPole-v1 needs the package jax, which is not installed"):
        resolve_spaces(config)
