from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import make_folder, whole_file, write_bytes, write_text
from rl_pipeline.experiment.folder import ExperimentFolder

SizeLimit = Callable[[int], AbstractContextManager[None]]


def test_a_file_is_written(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "ä")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "ä"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_names_the_file_and_keeps_the_former_content(
    tmp_path: Path, files_no_larger_than: SizeLimit
) -> None:
    path = tmp_path / "model.zip"
    write_bytes(path, b"former")
    with files_no_larger_than(1000), pytest.raises(InputError, match=r"cannot write .*model.zip: File too large"):
        write_bytes(path, b"x" * 5000)
    assert path.read_bytes() == b"former"
    assert [file.name for file in tmp_path.iterdir()] == ["model.zip"]


def test_an_error_while_writing_leaves_nothing(tmp_path: Path) -> None:
    writing = whole_file(tmp_path / "a.bin")
    writing.__enter__().write_bytes(b"half")
    assert not writing.__exit__(RuntimeError, RuntimeError(), None)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot write .*gone/a.txt: No such file or directory"):
        write_text(tmp_path / "gone" / "a.txt", "")


def synced_folders(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    synced: list[Path] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return synced


def test_the_folder_of_a_new_file_is_synced_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = synced_folders(monkeypatch)
    write_text(tmp_path / "a.txt", "")
    assert synced == [tmp_path / ".a.partial.txt", tmp_path]


def test_the_folder_of_a_new_folder_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = synced_folders(monkeypatch)
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]


def test_every_folder_of_a_new_experiment_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = synced_folders(monkeypatch)
    folder = ExperimentFolder.create(tmp_path / "experiments", "A-v0", "ppo", "run")
    new = [folder.states, *folder.states.parents]
    assert {path.parent for path in new if path.is_relative_to(tmp_path / "experiments")} <= set(synced)
