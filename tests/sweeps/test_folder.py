"""The folder of a sweep: found by name, never overwritten, and cleared of trials that did not begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.sweeps.folder import SweepFolder, SweepSettings

SETTINGS = SweepSettings(trials=3, objective="return", pruner="none", seed=1)


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    space = tmp_path / "space.yaml"
    space.write_text("training.seed: {int: [0, 9]}\n")
    made = SweepFolder(tmp_path / "sweeps" / "small")
    made.create("experiment: {name: cartpole}\n", space, SETTINGS)
    return made


def test_a_sweep_is_found_by_its_folder_or_its_name(folder: SweepFolder, tmp_path: Path) -> None:
    assert SweepFolder.find(str(folder.path), Path("elsewhere")) == folder
    assert SweepFolder.find("small", tmp_path).settings() == SETTINGS


def test_a_misspelt_sweep_is_refused_with_the_nearest_name(folder: SweepFolder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--resume: unknown sweep 'smal'; did you mean 'small'"):
        SweepFolder.find("smal", tmp_path)


def test_a_sweep_is_never_overwritten(folder: SweepFolder) -> None:
    with pytest.raises(InputError, match=r"rl-pipeline sweep --resume small, or give another --name"):
        folder.create("", folder.space, SETTINGS)


def test_settings_that_are_not_those_of_a_sweep_are_refused(folder: SweepFolder) -> None:
    folder.settings_file.write_text("trials: 3\nfoo: 1\n")
    with pytest.raises(InputError, match=r"sweep.yaml: cannot be read"):
        folder.settings()


def test_only_trials_that_did_not_begin_are_cleared(folder: SweepFolder) -> None:
    begun, killed = (folder.path / f"CartPole-v1/ppo/trial_{number:03d}" for number in range(2))
    for trial in (begun, killed):
        trial.mkdir(parents=True)
    (begun / "config.yaml").touch()
    for number in range(2):
        folder.clear(number)
    assert begun.exists()
    assert not killed.exists()
    assert folder.trial(1) is None
