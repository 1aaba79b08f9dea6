from __future__ import annotations

import os
from pathlib import Path

import pytest

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.atomic_files import write_text
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import find_model, model_of


def create(directory: Path, name: str = "first") -> ExperimentFolder:
    folder = ExperimentFolder.create(directory, "rl_pipeline/Navigation-v0", "ppo", name)
    folder.config.write_text("{}")
    return folder


def test_the_layout_is_environment_algorithm_name(tmp_path: Path) -> None:
    folder = create(tmp_path)
    assert folder.path == tmp_path / "Navigation-v0" / "ppo" / "first"
    assert folder.videos.is_dir()
    assert folder.checkpoints.is_dir()
    assert folder.tensorboard.is_dir()


def test_a_name_that_is_taken_gets_a_time_stamp(tmp_path: Path) -> None:
    names = [create(tmp_path).path.name for _ in range(3)]
    assert names[0] == "first"
    assert names[1].startswith("first_20")
    assert len(set(names)) == 3


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"experiment.name: expected the name of a folder"):
        create(tmp_path, name)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"experiment.directory: cannot write to .*file/Navigation-v0/ppo"):
        create(tmp_path / "file")


def test_an_experiment_is_found_by_folder_name_or_as_the_newest(tmp_path: Path) -> None:
    first, second = create(tmp_path, "first"), create(tmp_path, "second")
    for age, folder in enumerate((first, second)):
        folder.model.write_bytes(b"")
        os.utime(folder.config, (age, age))
    assert ExperimentFolder.find("first", tmp_path) == first
    assert ExperimentFolder.find(str(first.path), Path("elsewhere")) == first
    assert ExperimentFolder.find(None, tmp_path) == second


def test_an_unknown_experiment_is_refused_with_the_nearest(tmp_path: Path) -> None:
    create(tmp_path, "walker")
    with pytest.raises(UnknownNameError, match=r"unknown experiment 'walkr'; did you mean 'walker'"):
        ExperimentFolder.find("walkr", tmp_path)


def test_no_experiment_at_all_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no experiment with a trained model in .*: run `rl-pipeline train` first"):
        ExperimentFolder.find(None, tmp_path)


def test_models_of_an_experiment_are_found_by_name(tmp_path: Path) -> None:
    folder = create(tmp_path)
    folder.model.write_bytes(b"")
    checkpoint = folder.checkpoints / "model_100_steps.zip"
    checkpoint.write_bytes(b"")
    assert model_of(folder, "model.zip") == folder.model
    assert model_of(folder, "model_100_steps") == checkpoint
    thousands = folder.checkpoints / "model_200000_steps.zip"
    thousands.write_bytes(b"")
    for name in ("200000", "200_000", "model_200_000.zip"):
        assert model_of(folder, name) == thousands
    assert model_of(folder, "model_final.zip") == folder.model
    with pytest.raises(UnknownNameError, match=r"unknown model 'modl'; did you mean 'model'"):
        model_of(folder, "modl")


def test_a_model_to_start_from_is_a_file_or_an_experiment(tmp_path: Path) -> None:
    folder = create(tmp_path)
    with pytest.raises(InputError, match=r"pretrained_model: .*first has no best_model.zip or model.zip"):
        find_model("first", tmp_path, "training.pretrained_model")
    folder.model.write_bytes(b"")
    for reference in (str(folder.model), str(folder.model.with_suffix("")), str(folder.path), "first"):
        assert find_model(reference, tmp_path, "training.pretrained_model") == folder.model
    folder.best_model.write_bytes(b"")
    assert find_model("first", tmp_path, "training.pretrained_model") == folder.best_model
    with pytest.raises(InputError, match=r"'frist' is neither a model file nor an experiment .* did you mean 'first'"):
        find_model("frist", tmp_path, "training.pretrained_model")


def test_what_a_killed_run_left_half_written_is_no_model(tmp_path: Path) -> None:
    folder = create(tmp_path)
    for path in (folder.path / ".model.partial.zip", folder.checkpoints / ".model_100_steps.partial.zip"):
        path.write_bytes(b"half of a model")
    with pytest.raises(InputError, match=r"no experiment with a trained model"):
        ExperimentFolder.find(None, tmp_path)
    with pytest.raises(InputError, match=r"has no model yet"):
        model_of(folder, "model")
    with pytest.raises(InputError, match=r"has no best_model.zip or model.zip"):
        find_model("first", tmp_path, "training.pretrained_model")
    write_text(folder.model, "a model")
    assert model_of(folder, "model").read_text() == "a model"
    assert not (folder.path / ".model.partial.zip").exists()


def test_what_stands_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(tmp_path / "nowhere")
    file.touch()
    with pytest.raises(InputError, match=rf"{link} is a symbolic link to {tmp_path}/nowhere, which does not exist"):
        create(link)
    with pytest.raises(InputError, match=rf"{file} is not a folder"):
        create(file)
    assert not (tmp_path / "nowhere").exists()
