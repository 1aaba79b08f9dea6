"""A run that fails before its first step leaves its log and nothing else, and its name is free again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.selection import select
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.folder import ExperimentFolder, existing_experiments
from rl_pipeline.run.rl_trainer import RLTrainer

MakeConfig = Callable[..., Config]


class Failing(gymnasium.Env[Any, Any]):
    """Raises an error with reset or with the step of that number, of all environments together."""

    observation_space, action_space = spaces.Box(-1, 1, (2,)), spaces.Discrete(2)
    calls: list[str] = []  # noqa: RUF012
    error: str | None = "reset"

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if self.error == "reset":
            raise InputError("there is no licence")
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.calls.append("step")
        if self.error == f"step {len(self.calls)}":
            raise InputError("the licence has run out")
        return np.zeros(2, np.float32), 1.0, len(self.calls) % 5 == 0, False, {}


gymnasium.register("Test/Failing-v0", Failing)


@pytest.fixture
def config(make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setattr(Failing, "calls", [])
    monkeypatch.setattr(Failing, "error", None)
    environment = {"id": "Test/Failing-v0", "render_mode": None, "video_wrapper": False}
    training = {"total_timesteps": 128, "log_points": 2, "eval": {"num_evals": 0}}
    return make_config(environment=environment, training=training, evaluation={"num_episodes": 1})


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_only_the_log_is_left_and_the_next_run_has_the_name(
    config: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(Failing, "error", "reset")
    folder = config.experiment.directory / "Failing-v0" / "ppo" / "test"
    for _ in range(2):
        with pytest.raises(InputError, match="no licence"):
            RLTrainer(config).train()
        assert files(folder) == ["failed_start.log"]
        assert files(folder.parent) == ["test", "test/failed_start.log"]
    assert f"no step was taken: nothing is kept but {folder / 'failed_start.log'}" in caplog.text
    assert "no step was taken" in (folder / "failed_start.log").read_text()
    assert "go on with" not in caplog.text
    assert not existing_experiments(config.experiment.directory)
    monkeypatch.setattr(Failing, "error", None)
    assert RLTrainer(config).train().folder.path == folder
    assert not (folder / "failed_start.log").exists()
    assert (folder / "model.zip").is_file()


def test_a_failed_start_of_a_resumed_run_changes_no_model(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RLTrainer(config).train().folder
    before = {path.name: path.read_bytes() for path in folder.path.rglob("*.zip")}
    monkeypatch.setattr(Failing, "error", "reset")
    longer = config.model_copy(update={"training": config.training.model_copy(update={"total_timesteps": 256})})
    with pytest.raises(InputError, match="no licence"):
        RLTrainer(longer, resume=ResumePoint.of(folder)).train()
    assert {path.name: path.read_bytes() for path in folder.path.rglob("*.zip")} == before
    assert folder.metadata.is_file()


@pytest.mark.parametrize(
    ("fails_at", "said"),
    [
        ("step 10", "the run is saved, though nothing was learned yet; go on with: rl-pipeline resume "),
        ("step 100", "what was learned is saved; go on with: rl-pipeline resume "),
    ],
)
def test_the_end_says_that_something_was_learned_only_after_an_update(
    config: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fails_at: str, said: str
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(Failing, "error", fails_at)
    with pytest.raises(InputError, match="run out"):
        RLTrainer(config).train()
    folder = ExperimentFolder.find("test", config.experiment.directory)
    assert f"{said}{folder.path}" in caplog.text
    assert folder.model.is_file()
    assert ResumePoint.of(folder).states


def test_without_evaluations_the_best_model_of_a_resumed_run_is_its_last(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    folder = RLTrainer(config).train().folder
    first = folder.best_model.read_bytes()
    longer = config.model_copy(update={"training": config.training.model_copy(update={"total_timesteps": 256})})
    RLTrainer(longer, resume=ResumePoint.of(folder)).train()
    assert folder.best_model.read_bytes() == folder.model.read_bytes()
    assert folder.best_model.read_bytes() != first
    folder.best_model.write_bytes(first)
    selection = select(config, experiment=str(folder.path), model=None, agent="trained")
    selection.make_agent(DummyVecEnv([Failing]))
    assert f"{folder.best_model}, trained for 128 steps; the last model, model.zip, for 256" in caplog.text
