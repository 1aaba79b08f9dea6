"""Learning curves of finished and running experiments, and their mean over repetitions."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.experiment.plots.training_curves import rolling_mean
from rl_pipeline.experiment.record import ExperimentRecord, differing_settings

METRICS: Final = {"return": "return", "success": "success rate", "length": "episode length [steps]"}
AXES: Final = {"timesteps": "environment steps", "seconds": "wall time"}
GRID_POINTS: Final = 200
SHORTEST_WINDOW: Final = 10
"""Episodes that a point of a curve is the mean of, at the least."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Episodes:
    """Training episodes of one run, in the order of their ends.

    Attributes:
        columns: by the names of episodes.csv, (n,) float each; NaN where a run has no value.
    """

    columns: dict[str, Floats]

    @classmethod
    def read(cls, path: Path) -> Episodes:
        """Read an episodes.csv; there are no episodes when the file is missing."""
        names = (*METRICS, *AXES)
        rows: list[list[float]] = []
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    rows.append([_number(row.get(name)) for name in names])
        table = np.array(rows, dtype=np.float64).reshape(-1, len(names))
        return cls({name: table[:, index] for index, name in enumerate(names)})

    def __len__(self) -> int:
        return len(self.columns["return"])

    def smoothed(self, axis: str, metric: str, window: int = SHORTEST_WINDOW) -> tuple[Floats, Floats]:
        """Return positions on `axis` and means of the last `window` episodes, both (k,); empty without data."""
        x, y = self.columns[axis], self.columns[metric]
        told = np.isfinite(x) & np.isfinite(y)
        x, y = x[told], y[told]
        y = rolling_mean(y, window)
        # Of episodes that ended in the same step the last mean has seen all of them.
        last = np.append(x[1:] != x[:-1], True) if len(x) else np.zeros(0, dtype=np.bool_)
        return x[last], y[last]


@dataclass(frozen=True)
class Group:
    """Repetitions of one experiment, which differ by seed and name alone.

    Attributes:
        label: name in the legend.
        records: the runs.
        episodes: those of each run.
        window: episodes that a point of the curve is the mean of, the same for all runs that are compared.
    """

    label: str
    records: list[ExperimentRecord]
    episodes: list[Episodes]
    window: int = SHORTEST_WINDOW

    def curve(self, axis: str, metric: str) -> tuple[Floats, Floats, Floats] | None:
        """Return position, mean and standard deviation (of a sample) over the runs, each (200,); None without data.

        The curve ends where the first of the runs does: beyond it, a mean would be of other runs than before.
        """
        smoothed = [episodes.smoothed(axis, metric, self.window) for episodes in self.episodes]
        curves = [curve for curve in smoothed if len(curve[0]) > 1]
        if not curves:
            return None
        # The range that all runs cover.
        start, end = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
        if start >= end:
            return None
        grid = np.linspace(start, end, GRID_POINTS)
        values = np.stack([np.interp(grid, x, y) for x, y in curves])
        spread = values.std(axis=0, ddof=1) if len(curves) > 1 else np.zeros(GRID_POINTS)
        return grid, values.mean(axis=0), spread


def grouped(records: Sequence[ExperimentRecord]) -> list[Group]:
    """Group repetitions, labelled by the common part of their names and, if that is ambiguous, by differing settings.

    All are smoothed over a twentieth of the longest run's episodes, so that equal learning makes equal curves.
    """
    repetitions: dict[tuple[tuple[str, str], ...], list[ExperimentRecord]] = {}
    for record in records:
        repetitions.setdefault(record.repeated, []).append(record)
    members = list(repetitions.values())
    # Labels must be unique in a legend.
    labels = [_shared_name(group) for group in members]
    if len(set(labels)) < len(labels):
        labels = _told_apart(labels, members)
    # One window for all groups.
    episodes = [[Episodes.read(record.folder.episodes) for record in group] for group in members]
    window = max(SHORTEST_WINDOW, max((len(run) for group in episodes for run in group), default=0) // 20)
    return [Group(*parts, window) for parts in zip(labels, members, episodes, strict=True)]


def _shared_name(records: Sequence[ExperimentRecord]) -> str:
    """Return the common start of names: `cart` for `cart_seed_0` and `cart_seed_1`; the whole name of a lone run."""
    names = [record.name for record in records]
    if len(names) == 1:
        return names[0]
    shared = names[0]
    for name in names[1:]:
        while not name.startswith(shared):
            shared = shared[:-1]
    return re.sub(r"[-_. ]*(seed|s)?[-_. ]*$", "", shared) or names[0]


def _told_apart(labels: list[str], members: list[list[ExperimentRecord]]) -> list[str]:
    """Append the differing settings to the labels: at most two, named by their last part."""
    differing = [
        (key, values)
        for key, values in differing_settings([group[0] for group in members]).items()
        if not key.startswith(("experiment.", "training.seed"))
    ][:2]
    return [
        ", ".join([label, *(f"{key.rsplit('.', 1)[-1]}={values[index]}" for key, values in differing)])
        for index, label in enumerate(labels)
    ]


def _number(text: str | None) -> float:
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return float("nan")
