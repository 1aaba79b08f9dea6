"""Restoration of a run's parts: order, and the callbacks that continue afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from stable_baselines3 import PPO

from rl_pipeline.run.callbacks.callback import RunCallback
from rl_pipeline.run.callbacks.restoration import Restoration, RunParts


class Part:
    """A part that notes its restoration."""

    def __init__(self, name: str, restored: list[str]) -> None:
        self.name, self.restored = name, restored

    def state_dict(self) -> dict[str, Any]:
        return {"name": self.name}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.restored.append(state["name"])


class Follower(RunCallback):
    """Notes the step at which it is restored."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []

    def restored(self, timesteps: int) -> None:
        self.steps.append(timesteps)


@pytest.fixture
def model() -> PPO:
    return PPO("MlpPolicy", "CartPole-v1", n_steps=4, batch_size=4, n_epochs=1, device="cpu", seed=0)


def test_random_generators_are_the_last_part_even_after_additions(model: PPO) -> None:
    parts = RunParts(model, "")
    parts["mine"] = Part("mine", [])
    assert list(parts) == ["learner", "mine", "random"]
    assert len(parts) == 3


def test_parts_are_restored_once_and_callbacks_continue_at_the_restored_step(model: PPO) -> None:
    model.learn(8)
    restored: list[str] = []
    saved = RunParts(model, "")
    saved["mine"] = Part("mine", restored)
    saved["gone"] = Part("gone", restored)
    states = {name: part.state_dict() for name, part in saved.items()}
    model.num_timesteps = 0
    parts = RunParts(model, "")
    parts["mine"] = Part("mine", restored)
    parts["added"] = Part("added", restored)
    follower = Follower()
    restoration = Restoration(states, parts, [follower], seed=0, total=100)
    restoration.init_callback(model)
    assert restoration.is_pending
    restoration.before_rollout(0)
    restoration.before_rollout(8)
    assert not restoration.is_pending
    assert restored == ["mine"], "a part without a state keeps its own, a state without a part is ignored"
    assert follower.steps == [8]
    assert model._last_obs is not None


def test_new_run_has_nothing_to_restore(model: PPO) -> None:
    follower = Follower()
    restoration = Restoration({}, RunParts(model, ""), [follower], seed=0, total=100)
    restoration.init_callback(model)
    restoration.before_rollout(0)
    assert not restoration.is_pending
    assert not follower.steps
    assert model._last_obs is None
