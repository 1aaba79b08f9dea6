"""Which file is meant by a model's name: in an experiment, or anywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from rl_pipeline.errors import InputError, UnknownNameError, suggestion
from rl_pipeline.experiment.folder import ExperimentFolder, existing_experiments

CHECKPOINTS: Final = "checkpoints"
ALL: Final = "all"


def model_of(folder: ExperimentFolder, name: str) -> Path:
    """A model of an experiment: `best_model`, `model`, or a checkpoint by its file name, with or without `.zip`.

    Raises `UnknownNameError` listing the models that the experiment has.
    """
    for parent in (folder.path, folder.checkpoints):
        if (path := parent / (name.removesuffix(".zip") + ".zip")).is_file():
            return path
    found = [path.stem for path in (*folder.path.glob("*.zip"), *folder.checkpoints.glob("*.zip"))]
    if not found:
        raise InputError(f"{folder.path} has no model yet: its training did not come that far")
    raise UnknownNameError("model", name, found, where=str(folder.path))


def models_of(folder: ExperimentFolder, name: str) -> list[str]:
    """Names of models: all `checkpoints` in the order of their steps, `all` (these and the last), or the one of `name`.

    Raises `UnknownNameError` when the experiment does not have them.
    """
    if name not in (CHECKPOINTS, ALL):
        return [model_of(folder, name).stem]
    models = sorted((path.stem for path in folder.checkpoints.glob("*.zip")), key=_numbers)
    if name == ALL and folder.model.is_file():
        models.append(folder.model.stem)
    if not models:
        raise InputError(f"{folder.path} has no checkpoints: its training did not come that far, or log_points was 0")
    return models


def find_model(reference: str, directory: Path, where: str) -> Path:
    """A model to start from: a file, an experiment's folder, or an experiment's name under `directory`.

    Of an experiment it is the best model, else the last. Raises `InputError` naming `where` and what there is.
    """
    for path in (Path(reference), Path(f"{reference}.zip")):
        if path.is_file():
            return path
    experiments = existing_experiments(directory)
    candidates = [folder for folder in experiments if reference == folder.path.name]
    if Path(reference).is_dir():
        candidates.insert(0, ExperimentFolder(Path(reference)))
    for folder in candidates:
        for path in (folder.best_model, folder.model):
            if path.is_file():
                return path
    if candidates:
        raise InputError(f"{where}: {candidates[0].path} has no best_model.zip or model.zip")
    names = list(dict.fromkeys(folder.path.name for folder in experiments))[:10]
    raise InputError(
        f"{where}: {reference!r} is neither a model file nor an experiment under {directory}"
        f"{suggestion(reference, names) or '; there is none yet'}"
    )


def _numbers(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]
