"""The table of a run's logged figures, `progress.csv`: a row for each time that Stable-Baselines3 logs."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.logger import KVWriter, filter_excluded_keys

from rl_pipeline.experiment.atomic_files import write_text

STEPS = "time/total_timesteps"


class ProgressFile(KVWriter):
    """Append rows to a CSV file; a figure that is new becomes a column of all rows.

    Rows are written whole, and so is the file where a column is added: a run that is killed leaves no half of one.
    Values that are neither numbers nor text are left out.

    Args:
        path: the file; it is begun with the first row.
        until: environment steps of a resumed run. Rows up to there are kept, others dropped.

    Raises:
        OSError: the file cannot be read or written.
    """

    def __init__(self, path: Path, until: int = 0) -> None:
        self._path = path
        self._columns: list[str] = []
        rows = _rows(path, until)
        if rows:
            self._columns = list(rows[0])
            self._rewrite(rows)
        self._file = path.open("a" if rows else "w", newline="", encoding="utf-8")

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        """Append a row. Raises `OSError` or `InputError` when the disk is full."""
        row = {
            key: str(value)
            for key, value in filter_excluded_keys(key_values, key_excluded, "csv").items()
            if isinstance(value, str | int | float | np.generic)
        }
        if added := [key for key in row if key not in self._columns]:
            self._add_columns(added)
        self._file.write(_text([[row.get(key, "") for key in self._columns]]))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add_columns(self, added: list[str]) -> None:
        self._file.close()
        rows = _rows(self._path)
        self._columns += added
        self._rewrite(rows)
        self._file = self._path.open("a", newline="", encoding="utf-8")

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        values = ([row.get(key) or "" for key in self._columns] for row in rows)
        write_text(self._path, _text([self._columns, *values]))


def _rows(path: Path, until: int | None = None) -> list[dict[str, str]]:
    """The rows of a file; with `until`, those of the first so many steps, and none that was cut off."""
    if until == 0 or not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if until is None:
        return rows
    return [row for row in rows if (row.get(STEPS) or "").isdecimal() and int(row[STEPS]) <= until]


def _text(rows: list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
