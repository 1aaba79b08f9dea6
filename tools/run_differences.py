"""Compare two experiment folders: models, optimisers, counters, buffers, random generators and logged figures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.save_util import load_from_zip_file

from rl_pipeline.experiment.checkpoints.checkpointer import saved_states, steps_of
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.checkpoints.run_state import read_states
from rl_pipeline.experiment.folder import ExperimentFolder

TIMED = ("time/fps", "time/time_elapsed", "players/", "communication/")
"""Beginnings of columns of progress.csv that measure time."""


def differences(found: ExperimentFolder, expected: ExperimentFolder) -> list[str]:
    """Return the names of all parts that differ between two finished runs, times aside; empty when they are equal."""
    names = [
        f"{file}: {name}"
        for file in ("model.zip", "best_model.zip")
        for name in _unequal(_model(found.path / file), _model(expected.path / file))
    ]
    names += [f"states: {name}" for name in _unequal(_newest_state(found), _newest_state(expected))]
    names += [
        f"evaluations.npz: {name}" for name in _unequal(_arrays(found.evaluations), _arrays(expected.evaluations))
    ]
    if _text(found.evaluation) != _text(expected.evaluation):
        names.append("evaluation.json")
    if _episodes(found.episodes) != _episodes(expected.episodes):
        names.append("episodes.csv")
    return names + [f"progress.csv: {name}" for name in _unequal(_progress(found), _progress(expected))]


def _unequal(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Return names whose values differ, or that one side lacks."""
    names = [*expected, *(name for name in found if name not in expected)]
    shared = found.keys() & expected.keys()
    return [name for name in names if name not in shared or not _equal(found[name], expected[name])]


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, torch.Tensor) and isinstance(right, torch.Tensor):
        return torch.equal(left, right)
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
    return bool(left == right)


def _model(source: Path | bytes) -> dict[str, Any]:
    """Return parameters, optimiser states, further tensors and normaliser of a model file, each by its path."""
    if isinstance(source, Path) and not source.is_file():
        return {}
    content = source.read_bytes() if isinstance(source, Path) else source
    _, parameters, variables = load_from_zip_file(io.BytesIO(content), load_data=False)
    return {
        **dict(_leaves(parameters)),
        **dict(_leaves(variables or {})),
        **{f"normalizer/{name}": array for name, array in ModelFile.read(content, "the model").normalizer.items()},
    }


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _leaves(item, f"{path}/{key}" if path else str(key))
    else:
        yield path, value


def _newest_state(folder: ExperimentFolder) -> dict[str, Any]:
    path = saved_states(folder)[0]
    parts = read_states(path)
    model = _model(parts["learner"].pop("model").tobytes())
    for episode in parts["learner"]["episodes"]:
        episode.pop("t", None)  # seconds since the start
    leaves = dict(_leaves(parts))
    return {"steps": steps_of(path), **leaves, **{f"learner/{name}": value for name, value in model.items()}}


def _arrays(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _text(path: Path) -> Any:
    return json.loads(path.read_text()) if path.is_file() else None


def _episodes(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return [row[:-1] for row in csv.reader(file)]


def _progress(folder: ExperimentFolder) -> dict[str, Any]:
    """Return cells by row and column, without times and empty ones."""
    with folder.progress.open(newline="") as file:
        return {
            f"row {number}, {key}": value
            for number, row in enumerate(csv.DictReader(file), 1)
            for key, value in row.items()
            if value and not key.startswith(TIMED)
        }
