"""Callbacks of one's own, figures of infos in the log, and networks begun anew."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.save_util import load_from_zip_file

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.checkpointer import saved_states
from rl_pipeline.run.callbacks.network_reset import NetworkReset
from rl_pipeline.run.resuming import resume
from rl_pipeline.run.rl_trainer import RLTrainer

MakeConfig = Callable[..., Config]

UNSEEN = {"render_mode": None, "video_wrapper": False}

MODULE = """
from stable_baselines3.common.callbacks import BaseCallback, ProgressBarCallback

class Counter(BaseCallback):
    seen = []

    def __init__(self, stop_at=10_000):
        super().__init__()
        self.stop_at, self.calls = stop_at, 0

    def _on_step(self):
        self.calls += 1
        self.seen.append(self.calls)
        return self.num_timesteps < self.stop_at

    def state_dict(self):
        return {"calls": self.calls}

    def load_state_dict(self, state):
        self.calls = state["calls"]

class NoCallback: ...
"""


@pytest.fixture
def counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The class `my_callbacks:Counter`, whose `seen` has the count after every step."""
    (tmp_path / "my_callbacks.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_callbacks", raising=False)
    import my_callbacks

    return my_callbacks.Counter


@pytest.mark.slow
def test_a_callback_of_ones_own_is_called_and_goes_on_with_the_run(make_config: MakeConfig, counter: Any) -> None:
    config = make_config(
        environment=UNSEEN,
        training={
            "callbacks": {"my_callbacks:Counter": None},
            "log_info_keys": ["TimeLimit.truncated", "nothing"],
            "log_interval": 2,
        },
    )
    folder = RLTrainer(config).train().folder
    assert counter.seen == list(range(1, 129)), "256 steps of 2 environments"
    saved_states(folder)[0].unlink()
    folder.metadata.write_text(json.dumps({"status": "running"}))
    counter.seen.clear()
    silent = Console(file=io.StringIO())
    resume(str(folder.path), folder.path.parent, (), console=silent, progress=silent)
    assert counter.seen == list(range(65, 129))
    logged = [row["rollout/TimeLimit.truncated"] for row in csv.DictReader(folder.progress.open())]
    assert all(0.0 <= float(value) <= 1.0 for value in logged if value)
    assert any(logged)
    assert len([value for value in logged if value]) == 2, "4 rollouts, of which every other is logged"
    assert "training.log_info_keys: an episode's last info has no number 'nothing'; it has" in folder.log.read_text()


@pytest.mark.slow
def test_a_callback_may_end_the_training(make_config: MakeConfig, counter: Any) -> None:
    training = {"callbacks": {"my_callbacks:Counter": {"stop_at": 100}}, "eval": {"num_evals": 0}}
    config = make_config(environment=UNSEEN, training=training)
    result = RLTrainer(config).train()
    assert result.timesteps == 100
    assert result.folder.model.is_file()


@pytest.mark.usefixtures("counter")
@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("Counter", None, "expected module:Class, such as my_callbacks:StopWhenGood"),
        ("no_such_module:Counter", None, "cannot import no_such_module"),
        ("my_callbacks:Countr", None, "unknown callback 'Countr'; did you mean 'Counter'"),
        ("my_callbacks:NoCallback", None, "unknown callback 'NoCallback'"),
        ("my_callbacks:Counter", {"stop": 1}, r"does not take {'stop': 1} \(got an unexpected keyword argument 'stop'"),
        ("my_callbacks:Counter", 5, "expected keyword arguments or null, found 5"),
    ],
)
def test_a_callback_that_cannot_be_made_is_told_before_anything_runs(
    make_config: MakeConfig, name: str, arguments: Any, message: str
) -> None:
    with pytest.raises(InputError, match=rf"training.callbacks.{name}: .*{message}"):
        RLTrainer(make_config(training={"callbacks": {name: arguments}}))


@pytest.mark.parametrize(("algorithm", "env_id"), [(SAC, "Pendulum-v1"), (DQN, "CartPole-v1")])
def test_a_reset_leaves_new_networks_fresh_optimizers_and_the_replay_buffer(
    algorithm: type[BaseAlgorithm], env_id: str
) -> None:
    settings: dict[str, Any] = {"policy_kwargs": {"net_arch": [8]}, "buffer_size": 100, "learning_starts": 8}
    model: Any = algorithm("MlpPolicy", env_id, train_freq=1, seed=0, device="cpu", **settings).learn(20)
    reset = NetworkReset(10)
    reset.init_callback(model)
    reset.restored(20)
    before = {key: value.clone() for key, value in model.policy.state_dict().items()}
    reset.before_rollout(20)
    assert all(torch.equal(value, before[key]) for key, value in model.policy.state_dict().items()), "resumed at 20"
    reset.before_rollout(30)
    weights = [key for key in before if key.endswith("weight")]
    assert not any(torch.equal(model.policy.state_dict()[key], before[key]) for key in weights)
    optimizer = model.critic.optimizer if algorithm is SAC else model.policy.optimizer
    assert not optimizer.state
    assert model.replay_buffer.size() == 20
    model.learn(10, reset_num_timesteps=False)
    assert np.isfinite(model.predict(model.observation_space.sample())[0]).all()


@pytest.mark.slow
def test_a_run_with_resets_goes_on_exactly(make_config: MakeConfig) -> None:
    config = make_config(
        environment={"id": "Pendulum-v1", **UNSEEN},
        algorithm={"name": "sac", "parameters": {"learning_starts": 32, "batch_size": 16}},
        training={"total_timesteps": 192, "log_points": 3, "resetting_interval": 64, "eval": {"num_evals": 0}},
    )
    config.algorithm.architecture.net_arch = [8]
    folder = RLTrainer(config).train().folder
    assert folder.log.read_text().count("new networks at") == 2
    expected = load_from_zip_file(folder.model, load_data=False)[1]["policy"]
    saved_states(folder)[0].unlink()
    folder.metadata.write_text(json.dumps({"status": "running"}))
    silent = Console(file=io.StringIO())
    resume(str(folder.path), folder.path.parent, (), console=silent, progress=silent)
    found = load_from_zip_file(folder.model, load_data=False)[1]["policy"]
    assert all(torch.equal(value, found[key]) for key, value in expected.items())


def test_an_algorithm_without_a_replay_buffer_is_not_reset(make_config: MakeConfig) -> None:
    with pytest.raises(InputError, match=r"training.resetting_interval: expected an algorithm .* found PPO"):
        RLTrainer(make_config(training={"resetting_interval": 64}))
