"""Callbacks of the user, and figures of infos in the log."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.checkpointer import saved_states
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
def test_callback_is_called_and_resumed_with_the_run(make_config: MakeConfig, counter: Any) -> None:
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
def test_callback_may_end_the_training(make_config: MakeConfig, counter: Any) -> None:
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
def test_callback_that_cannot_be_made_is_refused_before_anything_runs(
    make_config: MakeConfig, name: str, arguments: Any, message: str
) -> None:
    with pytest.raises(InputError, match=rf"training.callbacks.{name}: .*{message}"):
        RLTrainer(make_config(training={"callbacks": {name: arguments}}))
