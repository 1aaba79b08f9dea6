"""Off-policy, a run that is interrupted has learned from every step that it counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.config.schema import Config
from rl_pipeline.experiment.checkpoints.checkpointer import saved_states
from rl_pipeline.experiment.checkpoints.run_state import read_states
from rl_pipeline.run.interruption import Interruption
from rl_pipeline.run.rl_trainer import RLTrainer

ENVIRONMENTS, WARM_UP = 2, 20


class InterruptAt(BaseCallback):
    def __init__(self, timesteps: int, interruption: Interruption) -> None:
        super().__init__()
        self._timesteps, self._interruption = timesteps, interruption

    def _on_step(self) -> bool:
        if self.num_timesteps >= self._timesteps:
            self._interruption.requested = True
        return True


def interrupted_state(make_config: Callable[..., Config], name: str, **parameters: Any) -> dict[str, Any]:
    config = make_config(
        environment={"id": "Pendulum-v1", "horizon": 20, "render_mode": None, "video_wrapper": False},
        algorithm={
            "name": name,
            "parameters": {"learning_starts": WARM_UP, "buffer_size": 400, "batch_size": 8, **parameters},
            "architecture": {"net_arch": [4]},
        },
        training={"total_timesteps": 200, "log_points": 2, "eval": {"num_evals": 0}},
    )
    interruption = Interruption()
    result = RLTrainer(config, interruption=interruption, callbacks=[InterruptAt(46, interruption)]).train()
    assert result.interrupted
    return read_states(saved_states(result.folder)[0])


@pytest.mark.parametrize(("name", "train_freq", "steps"), [("sac", 1, 46), ("td3", 4, 48)])
def test_an_interrupted_run_has_learned_from_all_its_steps(
    make_config: Callable[..., Config], name: str, train_freq: int, steps: int
) -> None:
    states = interrupted_state(make_config, name, train_freq=train_freq)
    counters = states["learner"]["counters"]
    assert counters["num_timesteps"] == steps
    assert states["replay_buffer"]["position"] == steps // ENVIRONMENTS
    rollout = train_freq * ENVIRONMENTS
    assert counters["_n_updates"] == sum(end > WARM_UP for end in range(rollout, steps + 1, rollout))


def test_a_long_rollout_is_not_waited_for(make_config: Callable[..., Config]) -> None:
    states = interrupted_state(make_config, "sac", train_freq=50)
    assert states["learner"]["counters"]["num_timesteps"] in (46, 48)
