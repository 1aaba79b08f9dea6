"""What a run leaves on Weights & Biases, offline here, and what can be done with its files."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import wandb
from rich.console import Console
from stable_baselines3.common.save_util import load_from_zip_file

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.selection import select
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import find_model
from rl_pipeline.run.resuming import resume
from rl_pipeline.run.rl_trainer import RLTrainer

pytestmark = pytest.mark.slow
SILENT = Console(file=io.StringIO())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ExperimentFolder:
    """An experiment on Weights & Biases, offline."""
    directory = tmp_path_factory.mktemp("run")
    sections = {
        "experiment": {"name": "test", "directory": directory / "experiments"},
        "environment": {"id": "CartPole-v1", "horizon": 40, "render_mode": None, "video_wrapper": False},
        "algorithm": {"name": "ppo", "parameters": {"n_steps": 16, "batch_size": 16, "n_epochs": 1}},
        "training": {
            "total_timesteps": 64, "device": "cpu", "log_points": 2, "run_type": "wandb",
            "eval": {"num_evals": 2, "num_episodes": 1},
        },
        "wandb_run": {"mode": "offline"},
        "evaluation": {"num_episodes": 5},
        "simulation": {"n_environments": 2},
    }  # fmt: skip
    return RLTrainer(Config.model_validate(sections)).train().folder


@pytest.fixture
def files(run: ExperimentFolder, tmp_path: Path) -> Path:
    """The run's files, as they are downloaded; W&B's own config.yaml is among them."""
    [folder] = run.path.glob("wandb/offline-run-*/files")
    shutil.copytree(folder, tmp_path / "downloaded")
    (tmp_path / "downloaded" / "config.yaml").write_text("training:\n  value: {seed: 0}\n")
    return tmp_path / "downloaded"


@pytest.fixture
def service(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run `me/project/abc` on Weights & Biases, which no test can reach."""

    class File:
        def __init__(self, path: Path) -> None:
            self.path, self.name = path, str(path.relative_to(files))

        def download(self, root: str, replace: bool) -> None:
            (Path(root) / self.name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.path, Path(root) / self.name)

    class Run:
        def files(self) -> list[File]:
            return [File(path) for path in files.rglob("*") if path.is_file()]

    class Api:
        def __init__(self, timeout: int) -> None:
            pass

        def run(self, path: str) -> Run:
            if path != "me/project/abc":
                raise ValueError(f"could not find run {path}")
            return Run()

    monkeypatch.setattr(wandb, "Api", Api)


def parameters(folder: ExperimentFolder) -> dict[str, torch.Tensor]:
    _, values, _ = load_from_zip_file(folder.model, load_data=False)
    weights: dict[str, torch.Tensor] = values["policy"]
    return weights


def go_on(experiment: str, directory: Path) -> ExperimentFolder:
    overrides = ["training.total_timesteps=128", "training.run_type=null"]
    resume(experiment, directory, overrides, console=SILENT, progress=SILENT)
    return ExperimentFolder.find("test", directory)


def test_models_results_and_the_newest_state_are_among_the_files(run: ExperimentFolder, files: Path) -> None:
    names = {str(path.relative_to(files)) for path in files.rglob("*.*")}
    assert {"model.zip", "best_model.zip", "checkpoints/model_32_steps.zip", "checkpoints/model_64_steps.zip"} <= names
    assert {"state.zip", "metadata.json", "evaluations.npz", "episodes.csv", "evaluation.json", "curves.png"} <= names
    assert (files / "state.zip").read_bytes() == (run.states / "state_64_steps.zip").read_bytes()


def test_what_is_logged_is_found_under_the_names_of_tensorboard(run: ExperimentFolder, wandb_records: Any) -> None:
    keys = {item.key or "/".join(item.nested_key) for record in wandb_records(run.path) for item in record.history.item}
    assert {"global_step", "rollout/ep_rew_mean", "eval/mean_reward", "train/loss"} <= keys


def test_downloaded_files_are_played(files: Path) -> None:
    selection = select(Config(), experiment=str(files), model=None, agent="trained")
    assert selection.model == files / "best_model.zip"
    assert selection.config.environment.id == "CartPole-v1"


def test_a_run_goes_on_from_downloaded_files_as_from_its_own_folder(
    run: ExperimentFolder, files: Path, tmp_path: Path
) -> None:
    own = ExperimentFolder(Path(shutil.copytree(run.path, tmp_path / "own" / "CartPole-v1" / "ppo" / "test")))
    expected = parameters(go_on(str(own.path), tmp_path / "own"))
    folder = go_on(str(files), tmp_path / "experiments")
    assert folder.path == tmp_path / "experiments" / "CartPole-v1" / "ppo" / "test"
    found = parameters(folder)
    assert all(torch.equal(value, found[name]) for name, value in expected.items())
    before, after = (json.loads(each.metadata.read_text()) for each in (run, folder))
    assert after["wandb_run_id"] == before["wandb_run_id"]


@pytest.mark.usefixtures("service")
def test_a_run_is_played_started_from_and_resumed_by_its_path(tmp_path: Path) -> None:
    model = find_model("wandb:me/project/abc", tmp_path, "training.pretrained_model")
    assert model == tmp_path / "wandb" / "abc" / "best_model.zip"
    older = find_model("wandb:me/project/abc/checkpoints/model_32_steps.zip", tmp_path, "training.pretrained_model")
    assert older.name == "model_32_steps.zip"
    base = Config.model_validate({"experiment": {"directory": tmp_path}})
    assert select(base, experiment=None, model="wandb:me/project/abc", agent="trained").model == model
    assert go_on("wandb:me/project/abc", tmp_path).model.is_file()


@pytest.mark.usefixtures("service")
def test_what_weights_and_biases_does_not_have_is_named(files: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"wandb:me/project/xyz cannot be had: ValueError: could not find run"):
        go_on("wandb:me/project/xyz", tmp_path)
    with pytest.raises(InputError, match=r"has no last.zip; its models: best_model.zip, .*, model.zip"):
        find_model("wandb:me/project/abc/last.zip", tmp_path, "training.pretrained_model")
    (files / "state.zip").unlink()
    with pytest.raises(InputError, match=r"has no state.zip, .* --initialize-from wandb:me/project/abc"):
        go_on("wandb:me/project/abc", tmp_path)
    with pytest.raises(InputError, match=r"downloaded has no state.zip, .* --initialize-from .*/downloaded"):
        go_on(str(files), tmp_path)
