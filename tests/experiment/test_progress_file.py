"""progress.csv: rows and columns, and what a resumed run keeps of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from rl_pipeline.experiment.loggers.progress_file import STEPS, ProgressFile
from rl_pipeline.experiment.loggers.resumable_logger import ROLLOUTS, ResumableLogger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.csv"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, *steps: int, until: int = 0) -> None:
    file = ProgressFile(path, until)
    for step in steps:
        file.write({STEPS: step, "train/loss": np.float32(0.1), "note": 'a "b", c'}, {})
    file.close()


def test_a_figure_that_is_new_becomes_a_column_of_all_rows(path: Path) -> None:
    file = ProgressFile(path)
    file.write({STEPS: 1}, {})
    file.write({STEPS: 2, "b": 0.5, "c": 1, "hidden": 3, "figure": object()}, {"hidden": ("csv",)})
    file.close()
    assert rows(path) == [{STEPS: "1", "b": "", "c": ""}, {STEPS: "2", "b": "0.5", "c": "1"}]
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_resumed_run_keeps_the_rows_up_to_its_state_as_they_were(path: Path) -> None:
    write(path, 10, 20, 30)
    former = path.read_text().splitlines()
    write(path, 25, until=20)
    assert path.read_text().splitlines()[:3] == former[:3]
    assert [row[STEPS] for row in rows(path)] == ["10", "20", "25"]
    assert rows(path)[2]["note"] == 'a "b", c'


def test_a_last_row_that_was_cut_off_is_dropped(path: Path) -> None:
    write(path, 10, 20)
    with path.open("a") as file:
        file.write('3\0,"')
    write(path, 30, until=30)
    assert [row[STEPS] for row in rows(path)] == ["10", "20", "30"]


def test_a_run_that_begins_drops_all_rows(path: Path) -> None:
    write(path, 10)
    write(path, 5)
    assert [row[STEPS] for row in rows(path)] == ["5"]


def logged(logger: ResumableLogger, path: Path, rollouts: int) -> None:
    """What an on-policy algorithm logs, whose count begins at 1 with each `learn`."""
    for rollout in range(1, rollouts + 1):
        logger.record(ROLLOUTS, rollout)
        logger.record(STEPS, 10)
        logger.dump()
        logger.record("train/loss", np.float32(0.1), exclude="stdout")
        logger.record_mean("train/entropy", 0.25 * rollout)


def test_a_resumed_logger_goes_on_with_the_count_of_rollouts_and_the_losses_of_the_last_update(path: Path) -> None:
    whole, parts = path.with_name("whole.csv"), path
    logged(ResumableLogger(path.parent, [ProgressFile(whole)], interval=2), whole, 5)
    first = ResumableLogger(path.parent, [ProgressFile(parts)], interval=2)
    logged(first, parts, 3)
    second = ResumableLogger(path.parent, [ProgressFile(parts, until=10)], interval=2)
    second.load_state_dict(first.state_dict())
    assert second.name_to_excluded["train/loss"] == ("stdout",)
    for rollout in (4, 5):
        second.record(ROLLOUTS, rollout - 3)
        second.record(STEPS, 10)
        second.dump()
        second.record("train/loss", np.float32(0.1), exclude="stdout")
        second.record_mean("train/entropy", 0.25 * rollout)
    assert rows(parts) == rows(whole)
    assert [row[ROLLOUTS] for row in rows(parts)] == ["2", "4"]
