"""A disk that takes no more at each file of a run: what the training can do without costs a warning, the rest ends it.

A file's temporary name leads to /dev/full, where each write fails as on a full disk, or something of the wrong kind is
in the way, which cannot be opened for writing as nothing can on a read-only disk.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.run.rl_trainer import RLTrainer

MakeConfig = Callable[..., Config]
Fault = Callable[[Path], None]
Planted = Callable[[dict[str, Fault]], None]

DQN = {"name": "dqn", "parameters": {"learning_starts": 20, "buffer_size": 1000, "batch_size": 16}}
FULL = "No space left on device"


def full(path: Path) -> None:
    path.symlink_to("/dev/full")


def partial(path: Path) -> Path:
    return path.with_name(f".{path.stem}.partial{path.suffix}")


def full_partial(path: Path) -> None:
    full(partial(path))


def readonly_partial(path: Path) -> None:
    partial(path).mkdir()


def occupied(path: Path) -> None:
    """Put a file where a folder is wanted, or a folder where a file is."""
    if path.is_dir():
        path.rmdir()
        path.write_text("")
    else:
        path.mkdir()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Have files of the next experiment folder fail, each in a way of the above."""

    def plant(faults: dict[str, Fault]) -> None:
        create = ExperimentFolder.create

        def with_faults(*arguments: object) -> ExperimentFolder:
            folder = create(*arguments)  # type: ignore[arg-type]
            for name, fault in faults.items():
                fault(folder.path / name)
            return folder

        monkeypatch.setattr(ExperimentFolder, "create", with_faults)

    return plant


def halves(folder: ExperimentFolder) -> list[Path]:
    """What a run left under temporary names, the planted faults aside."""
    return [path for path in folder.path.rglob(".*.partial.*") if path.is_file() and not path.is_symlink()]


DISPENSABLE: dict[str, tuple[Fault, str]] = {
    "episodes.csv": (full, FULL),
    "evaluations.npz": (full_partial, FULL),
    "curves.png": (full_partial, FULL),
    "videos/rl-video-step-0.mp4": (full_partial, FULL),
    "videos/final.mp4": (full_partial, FULL),
    "tensorboard": (occupied, "File exists"),
    "progress.csv": (occupied, "Is a directory"),
}


@pytest.mark.slow
def test_each_file_that_the_training_can_do_without_costs_one_warning(
    make_config: MakeConfig, planted: Planted, caplog: pytest.LogCaptureFixture
) -> None:
    planted({name: fault for name, (fault, _) in DISPENSABLE.items()})
    folder = RLTrainer(make_config(evaluation={"num_episodes": 5})).train().folder
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    for name, (_, reason) in DISPENSABLE.items():
        (warning,) = (text for text in warnings if f"cannot write {folder.path / name}: " in text)
        assert reason in warning
    assert len(warnings) == len(DISPENSABLE)
    assert json.loads(folder.metadata.read_text())["status"] == "done"
    assert ModelFile.open(folder.model).config
    assert not folder.curves.exists()
    assert not list(folder.videos.glob("*.mp4"))
    assert not halves(folder)


def test_a_log_that_cannot_be_begun_ends_the_run(make_config: MakeConfig, planted: Planted) -> None:
    planted({"train.log": occupied})
    with pytest.raises(InputError, match=r"cannot write .*train.log: Is a directory"):
        RLTrainer(make_config()).train()


SAVED = "what was learned is saved; go on with: "


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "fault", "kept"),
    [
        ("model.zip", full_partial, "model.zip was not saved; the last checkpoint is "),
        ("checkpoints/model_64_steps.zip", full_partial, SAVED),
        ("checkpoints/model_64_steps.zip", readonly_partial, SAVED),
        ("best_model.zip", full_partial, SAVED),
        ("replay_buffer.pkl", full_partial, SAVED),
        ("evaluation.json", full_partial, SAVED),
    ],
)
def test_what_a_run_is_for_ends_it_with_an_error_that_says_what_is_saved(
    make_config: MakeConfig, planted: Planted, caplog: pytest.LogCaptureFixture, name: str, fault: Fault, kept: str
) -> None:
    caplog.set_level("INFO")
    planted({name: fault})
    config = make_config(
        algorithm=DQN, training={"total_timesteps": 128}, environment={"video_wrapper": False, "render_mode": None}
    )
    reason = "Is a directory" if fault is readonly_partial else FULL
    with pytest.raises(InputError, match=rf"cannot write .*/{name}: {reason}"):
        RLTrainer(config).train()
    folder = ExperimentFolder.find("test", config.experiment.directory)
    facts = json.loads(folder.metadata.read_text())
    assert facts["status"] == "failed"
    assert name in facts["error"]
    assert kept in caplog.text
    assert not halves(folder)
    for model in (*folder.path.glob("[!.]*.zip"), *folder.checkpoints.glob("[!.]*.zip")):
        assert ModelFile.open(model).config
