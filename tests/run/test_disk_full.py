"""A disk that takes no more at each file of a run: what the training can do without costs a warning, the rest ends it.

The file's temporary name leads to /dev/full, where each write fails as on a full disk, or is a folder, which cannot be
opened for writing as nothing can on a read-only disk.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.model_files import ModelFile
from rl_pipeline.run.rl_trainer import RLTrainer

MakeConfig = Callable[..., Config]
Planted = Callable[[str, Callable[[Path], None]], None]

DQN = {"name": "dqn", "parameters": {"learning_starts": 20, "buffer_size": 1000, "batch_size": 16}}
FULL = "No space left on device"

pytestmark = pytest.mark.slow


def on_a_full_disk(path: Path) -> None:
    path.symlink_to("/dev/full")


def on_a_readonly_disk(path: Path) -> None:
    path.mkdir(exist_ok=True)


def temporary(name: str) -> str:
    path = Path(name)
    return str(path.with_name(f".{path.stem}.partial{path.suffix}"))


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Have a file of the next experiment folder fail, in a way of the above."""

    def plant(name: str, how: Callable[[Path], None]) -> None:
        create = ExperimentFolder.create

        def with_a_fault(*arguments: object) -> ExperimentFolder:
            folder = create(*arguments)  # type: ignore[arg-type]
            how(folder.path / name)
            return folder

        monkeypatch.setattr(ExperimentFolder, "create", with_a_fault)

    return plant


def folder_of(config: Config) -> ExperimentFolder:
    return ExperimentFolder.find("test", config.experiment.directory)


def halves(folder: ExperimentFolder) -> list[Path]:
    """What a run left under temporary names, the planted faults aside."""
    return [path for path in folder.path.rglob(".*.partial.*") if path.is_file() and not path.is_symlink()]


@pytest.mark.parametrize(
    "name",
    [
        temporary("evaluations.npz"), temporary("curves.png"), "episodes.csv",
        temporary("videos/rl-video-step-0.mp4"), temporary("videos/final.mp4"),
    ],
)  # fmt: skip
def test_what_the_training_can_do_without_costs_one_warning(
    make_config: MakeConfig, planted: Planted, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    planted(name, on_a_full_disk)
    folder = RLTrainer(make_config()).train().folder
    file = folder.path / name.replace("/.", "/").removeprefix(".").replace(".partial", "")
    (warning,) = (record.message for record in caplog.records if record.levelname == "WARNING")
    assert f"cannot write {file}: " in warning
    assert FULL in warning
    assert json.loads(folder.metadata.read_text())["status"] == "done"
    assert ModelFile.open(folder.model).config
    assert file.name.endswith(".csv") or not file.exists()
    assert not halves(folder)


@pytest.mark.parametrize("name", ["tensorboard", "progress.csv", "train.log"])
def test_logs_that_cannot_be_begun(
    make_config: MakeConfig, planted: Planted, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    def occupied(path: Path) -> None:
        if path.is_dir():
            path.rmdir()
            path.write_text("")
        else:
            path.mkdir()

    planted(name, occupied)
    config = make_config()
    if name == "train.log":
        with pytest.raises(InputError, match=r"cannot write .*train.log: Is a directory"):
            RLTrainer(config).train()
        return
    folder = RLTrainer(config).train().folder
    (warning,) = (record.message for record in caplog.records if record.levelname == "WARNING")
    assert f"cannot write {folder.path / name}: " in warning
    assert folder.model.exists()


@pytest.mark.parametrize("how", [on_a_full_disk, on_a_readonly_disk])
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("model.zip", "model.zip was not saved; the last checkpoint is "),
        ("checkpoints/model_64_steps.zip", "what was learned is saved; go on with: "),
        ("best_model.zip", "what was learned is saved; go on with: "),
        ("replay_buffer.pkl", "what was learned is saved; go on with: "),
        ("evaluation.json", "what was learned is saved; go on with: "),
    ],
)
def test_what_a_run_is_for_ends_it_with_an_error_that_says_what_is_saved(
    make_config: MakeConfig,
    planted: Planted,
    caplog: pytest.LogCaptureFixture,
    name: str,
    kept: str,
    how: Callable[[Path], None],
) -> None:
    caplog.set_level("INFO")
    planted(temporary(name), how)
    config = make_config(
        algorithm=DQN, training={"total_timesteps": 128}, environment={"video_wrapper": False, "render_mode": None}
    )
    reason = FULL if how is on_a_full_disk else "Is a directory"
    with pytest.raises(InputError, match=rf"cannot write .*/{name}: {reason}"):
        RLTrainer(config).train()
    folder = folder_of(config)
    facts = json.loads(folder.metadata.read_text())
    assert facts["status"] == "failed"
    assert name in facts["error"]
    assert kept in caplog.text
    assert not halves(folder)
    for model in folder.path.rglob("[!.]*.zip"):
        assert ModelFile.open(model).config
