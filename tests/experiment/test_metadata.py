"""Facts of a run, written as JSON, and over those of before where the disk has no place for a second file."""

from __future__ import annotations

import json
from pathlib import Path

from rl_pipeline.experiment.metadata import describe_run, git_state, overwrite_metadata, timestamp, write_metadata


def test_a_run_is_described_by_command_versions_and_seeds(tmp_path: Path) -> None:
    facts = describe_run(["rl-pipeline", "train"], {"training": 3})
    write_metadata(tmp_path / "metadata.json", facts)
    read = json.loads((tmp_path / "metadata.json").read_text())
    assert (read["status"], read["command"], read["seeds"]) == ("running", ["rl-pipeline", "train"], {"training": 3})
    assert read["versions"]["torch"]
    assert read["host"]["python"]


def test_shorter_facts_replace_longer_ones_in_place(tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    write_metadata(path, {"status": "running", "note": "a" * 100})
    overwrite_metadata(path, {"status": "failed"})
    assert json.loads(path.read_text()) == {"status": "failed"}


def test_a_folder_outside_of_a_repository_has_no_commit(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None


def test_times_have_an_offset_from_utc() -> None:
    assert timestamp()[-6] in "+-"
