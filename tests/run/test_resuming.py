"""What `resume` does with damaged, foreign and finished experiments."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.checkpointer import newest_states, saved_states, steps_of
from rl_pipeline.experiment.checkpoints.run_state import FORMAT
from rl_pipeline.experiment.folder import ExperimentFolder, locked
from rl_pipeline.run.resuming import resume
from rl_pipeline.run.rl_trainer import RLTrainer

SILENT = Console(file=io.StringIO())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> ExperimentFolder:
    """A run of a second that has ended, for tests to copy."""
    config = Config.model_validate(
        {
            "experiment": {"name": "test", "directory": tmp_path_factory.mktemp("finished")},
            "environment": {"id": "CartPole-v1", "horizon": 40, "render_mode": None, "video_wrapper": False},
            "algorithm": {
                "name": "ppo",
                "parameters": {"n_steps": 16, "batch_size": 16, "n_epochs": 1},
                "architecture": {"net_arch": [8]},
            },
            "training": {"total_timesteps": 64, "device": "cpu", "log_points": 2, "eval": {"num_evals": 0}},
            "evaluation": {"num_episodes": 1},
            "simulation": {"n_environments": 2},
        }
    )
    return RLTrainer(config).train().folder


@pytest.fixture
def folder(finished: ExperimentFolder, tmp_path: Path) -> ExperimentFolder:
    return ExperimentFolder(Path(shutil.copytree(finished.path, tmp_path / "test")))


def go_on(folder: ExperimentFolder, *overrides: str) -> None:
    resume(str(folder.path), folder.path.parent, overrides, console=SILENT, progress=SILENT)


def test_a_finished_run_goes_on_when_it_is_given_more_steps(folder: ExperimentFolder) -> None:
    with pytest.raises(InputError, match=r"has taken all its 64 steps; to train on, give more: .*=128"):
        go_on(folder)
    with pytest.raises(InputError, match=r"has taken all its 64 steps; to train on, give more: .*=128"):
        go_on(folder, "training.total_timesteps=10")
    go_on(folder, "training.total_timesteps=128")
    assert steps_of(saved_states(folder)[0]) == 128
    assert json.loads(folder.metadata.read_text())["timesteps"] == 128


def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    folder: ExperimentFolder, caplog: pytest.LogCaptureFixture
) -> None:
    newest, before = saved_states(folder)
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    newest.write_bytes(content)
    states = newest_states(folder)
    assert states is not None
    assert states["learner"]["counters"]["num_timesteps"] == steps_of(before)
    assert "is damaged" in caplog.text
    assert "falling back to the checkpoint before" in caplog.text


def test_a_checkpoint_of_a_newer_version_is_refused(folder: ExperimentFolder) -> None:
    newest = saved_states(folder)[0]
    with zipfile.ZipFile(newest, "w") as archive:
        archive.writestr("format.json", json.dumps({"format": FORMAT + 1}))
    with pytest.raises(InputError, match="written by a newer version of rl_pipeline"):
        go_on(folder, "training.total_timesteps=128")
    assert newest.exists(), "nothing is wrong with it"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("algorithm.name=a2c", r"algorithm.name: .* was trained with 'ppo', found 'a2c' \(command line\); a resumed"),
        ("algorithm.architecture.net_arch=[4]", r"algorithm.architecture: .*\[8\].*found .*\[4\].*--initialize-from"),
        ("environment.id=Acrobot-v1", "environment.id: .* was trained with 'CartPole-v1', found 'Acrobot-v1'"),
        ("+wrappers.normalize.gamma=0.9", "wrappers: .* was trained with {}, found"),
        ("algorithm=sac", "command line: algorithm=sac: a resumed run keeps its algorithm. .*--initialize-from"),
        ("+wrappers=normalize", r"command line: \+wrappers=normalize: a resumed run keeps its wrappers"),
        ("training.seed=7", r"training.seed: .* was trained with 0, found 7 \(command line\)"),
    ],
)
def test_what_the_state_depends_on_must_stay(folder: ExperimentFolder, override: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        go_on(folder, override, "training.total_timesteps=128")


@pytest.mark.parametrize(
    ("written", "edited", "message"),
    [
        ("seed: 0", "seed: 7", r"training.seed: .* was trained with 0, found 7 \(.*config.yaml\); a resumed run keeps"),
        ("net_arch: [8]", "net_arch: [9]", r"algorithm.architecture: .*\[8\].*found .*\[9\]"),
    ],
)
def test_what_was_edited_in_config_yaml_since_is_noticed(
    folder: ExperimentFolder, written: str, edited: str, message: str
) -> None:
    text = folder.config.read_text()
    assert written in text
    folder.config.write_text(text.replace(written, edited, 1))
    with pytest.raises(InputError, match=message):
        go_on(folder, "training.total_timesteps=128")
    folder.config.write_text(text.replace("n_epochs: 1", "n_epochs: 2"))
    go_on(folder, "training.total_timesteps=128")


def test_two_runs_do_not_write_one_folder(folder: ExperimentFolder) -> None:
    hold = "import sys; from pathlib import Path; from rl_pipeline.experiment.folder import ExperimentFolder\n"
    hold += "from rl_pipeline.experiment.folder import locked\n"
    hold += f"with locked(ExperimentFolder(Path({str(folder.path)!r}))): print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=rf"is being written by another run \(process {other.pid} on "):
            go_on(folder, "training.total_timesteps=128")
        other.kill()
        other.wait(20)
    assert folder.lock.exists(), "a killed process cannot remove it"
    with locked(folder):
        assert json.loads(folder.lock.read_text())["pid"] == os.getpid()


def test_a_run_killed_before_its_first_checkpoint_begins_anew(
    folder: ExperimentFolder, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(folder.states)
    facts = json.loads(folder.metadata.read_text())
    folder.metadata.write_text(json.dumps(facts | {"status": "running"}))
    go_on(folder)
    assert "no checkpoint yet" in caplog.text
    assert json.loads(folder.metadata.read_text())["timesteps"] == 64


def test_the_lookup_of_models_takes_all_spellings(folder: ExperimentFolder, make_config: Callable[..., Config]) -> None:
    for training in (
        {"pretrained_model": str(folder.path)},
        {"pretrained_model": f"{folder.path}/final"},
        {"pretrained_model": str(folder.path), "load_step": 32},
        {"pretrained_model": {"use_pretrained_model": True, "experiment_name": str(folder.path), "checkpoint": 64}},
        {"pretrained_model": "None"},
        {"pretrained_model": {"use_pretrained_model": False, "experiment_name": "nowhere"}},
    ):
        RLTrainer(make_config(training=training, algorithm={"architecture": {"net_arch": [8]}}))
    for training, message in (
        ({"pretrained_model": str(folder.path), "load_step": 33}, "unknown model '33'.*model_32_steps"),
        ({"pretrained_model": "wandb:me/project"}, "expected wandb:entity/project/run"),
    ):
        with pytest.raises(InputError, match=message):
            RLTrainer(make_config(training=training))


def test_observations_of_another_space_are_refused(make_config: Callable[..., Config]) -> None:
    config = make_config(
        environment={"id": "FrozenLake-v1", "env_config": {"map_name": "4x4"}, "render_mode": None},
        algorithm={"parameters": {"n_steps": 16, "batch_size": 16, "n_epochs": 1}, "architecture": {"net_arch": [8]}},
        training={"total_timesteps": 32, "eval": {"num_evals": 0}},
        evaluation={"num_episodes": 1},
    )
    folder = RLTrainer(config).train().folder
    message = r"test at 32 steps was trained with the observation space Discrete\(16\), .* has Discrete\(64\)"
    with pytest.raises(InputError, match=message):
        go_on(folder, "environment.env_config.map_name=8x8", "training.total_timesteps=64")
