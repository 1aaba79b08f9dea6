"""Runs on MLflow, in an SQLite file, read back with MLflow's own client."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.registration import make_loggers
from rl_pipeline.run.resuming import resume
from rl_pipeline.run.rl_trainer import RLTrainer

SILENT = Console(file=io.StringIO())
SETTINGS: dict[str, Any] = {
    "environment": {"id": "CartPole-v1", "horizon": 40, "render_mode": None, "video_wrapper": False},
    "algorithm": {"name": "ppo", "parameters": {"n_steps": 16, "batch_size": 16, "n_epochs": 1}},
    "training": {
        "total_timesteps": 64,
        "device": "cpu",
        "log_points": 1,
        "eval": {"num_evals": 1, "num_episodes": 1},
    },
    "evaluation": {"num_episodes": 5},
    "simulation": {"n_environments": 2},
    "loggers": {"mlflow": {"experiment": "carts", "tags": {"purpose": "test"}}},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExperimentFolder]:
    """An experiment on MLflow."""
    pytest.importorskip("mlflow")
    directory = tmp_path_factory.mktemp("mlflow") / "experiments"
    config = Config.model_validate({**SETTINGS, "experiment": {"name": "cart", "directory": directory}})
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield RLTrainer(config).train().folder


def client(folder: ExperimentFolder) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{folder.path.parents[2] / 'mlflow.db'}")


def only_run(folder: ExperimentFolder) -> Any:
    experiment = client(folder).get_experiment_by_name("carts")
    [run] = client(folder).search_runs([experiment.experiment_id])
    return run


@pytest.mark.slow
def test_scalars_configuration_and_files_are_read_back(run: ExperimentFolder) -> None:
    logged = only_run(run)
    assert (logged.info.status, logged.info.run_name) == ("FINISHED", "cart")
    assert logged.data.tags["purpose"] == "test"
    assert logged.data.params["algorithm.parameters.n_steps"] == "16"
    assert {"rollout/ep_rew_mean", "train/loss", "evaluation/mean_return"} <= set(logged.data.metrics)
    steps = [each.step for each in client(run).get_metric_history(logged.info.run_id, "time/fps")]
    assert steps == [32, 64]
    names = {each.path for each in client(run).list_artifacts(logged.info.run_id)}
    assert {"model.zip", "best_model.zip", "curves.png", "evaluation.json", "checkpoints"} <= names


@pytest.mark.slow
def test_a_resumed_run_goes_on_under_its_id(run: ExperimentFolder) -> None:
    before = only_run(run)
    resume("cart", run.path.parents[2], ["training.total_timesteps=128"], console=SILENT, progress=SILENT)
    after = only_run(run)
    assert after.info.run_id == before.info.run_id
    assert after.info.status == "FINISHED"
    history = client(run).get_metric_history(after.info.run_id, "time/fps")
    assert [each.step for each in history] == [32, 64, 96, 128]


def test_a_missing_package_is_an_error_with_the_command_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "mlflow" else find_spec(name))
    with pytest.raises(InputError, match=r"loggers.mlflow: MLflow is not installed; .* 'rl-pipeline\[mlflow\]'"):
        make_loggers(Config.model_validate({"loggers": {"mlflow": {}}}))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"experimnt": "x"}, "loggers.mlflow.experimnt: unknown setting of mlflow 'experimnt'; did you mean 'experim"),
        ({"experiment": 3}, "loggers.mlflow.experiment: expected a string that is not empty or null, found 3"),
        ({"tags": "a"}, "loggers.mlflow.tags: expected a mapping of names to values, found 'a'"),
        ({"files": "no"}, "loggers.mlflow.files: expected true or false, found 'no'"),
        ("here", "loggers.mlflow: expected its settings, true or null, found 'here'"),
    ],
)
def test_a_wrong_setting_is_named(settings: Any, message: str) -> None:
    pytest.importorskip("mlflow")
    with pytest.raises(InputError) as error:
        make_loggers(Config.model_validate({"loggers": {"mlflow": settings}}))
    assert message in str(error.value)
