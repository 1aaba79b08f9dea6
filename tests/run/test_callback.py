"""Phases of callbacks, and the order in which a sequence of them is called."""

from __future__ import annotations

from typing import Any

import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.run.callbacks.callback import CallbackSequence, RunCallback

Calls = list[tuple[str, str, int]]


class Recorded(RunCallback):
    """Records every phase."""

    def __init__(self, label: str, calls: Calls) -> None:
        super().__init__()
        self.label, self.calls = label, calls

    def before_rollout(self, timesteps: int) -> None:
        self.calls.append((self.label, "before_rollout", timesteps))

    def after_step(self, timesteps: int) -> None:
        self.calls.append((self.label, "after_step", timesteps))

    def at_end(self, timesteps: int) -> None:
        self.calls.append((self.label, "at_end", timesteps))


class Jumping(RunCallback):
    """Sets the model to another step, as a restoration does."""

    name = "jumping"

    def before_rollout(self, timesteps: int) -> None:
        self.model.num_timesteps = 100

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to load."""


class Library(BaseCallback):
    """A callback written for Stable-Baselines3, which ends the training at a step."""

    def __init__(self, calls: Calls, last: int) -> None:
        super().__init__()
        self.calls, self.last = calls, last

    def _on_step(self) -> bool:
        self.calls.append(("library", "after_step", self.num_timesteps))
        assert "rewards" in self.locals
        return self.num_timesteps < self.last


@pytest.fixture(scope="module")
def model() -> PPO:
    return PPO("MlpPolicy", "CartPole-v1", n_steps=4, batch_size=4, n_epochs=1, device="cpu", seed=0)


def test_callbacks_are_called_in_order_and_the_users_come_last(model: PPO) -> None:
    calls: Calls = []
    sequence = CallbackSequence([Recorded("a", calls), Recorded("b", calls)], {"library": Library(calls, last=2)})
    model.learn(4, sequence)
    sequence.at_end(model.num_timesteps)
    assert calls == [
        *(("a", "before_rollout", 0), ("b", "before_rollout", 0)),
        *((label, "after_step", 1) for label in ("a", "b", "library")),
        *((label, "after_step", 2) for label in ("a", "b", "library")),
        *(("a", "at_end", 2), ("b", "at_end", 2)),
    ]


def test_callback_after_a_restoration_sees_the_restored_step(model: PPO) -> None:
    calls: Calls = []
    model.learn(1, CallbackSequence([Jumping(), Recorded("after", calls)], {}))
    assert calls[0] == ("after", "before_rollout", 100)


def test_run_callback_works_alone_in_the_library(model: PPO) -> None:
    calls: Calls = []
    model.learn(4, [Recorded("alone", calls)])
    assert [phase for _, phase, _ in calls] == ["before_rollout"] + 4 * ["after_step"]


def test_parts_are_the_callbacks_with_a_state_by_name() -> None:
    jumping = Jumping()
    assert CallbackSequence([jumping, Recorded("a", [])], {"library": Library([], 1)}).parts == {"jumping": jumping}
