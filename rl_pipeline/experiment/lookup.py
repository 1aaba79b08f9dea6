"""Which file is meant by a model's name: in an experiment, or anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rl_pipeline.errors import InputError, UnknownNameError, suggestion
from rl_pipeline.experiment.folder import ExperimentFolder, existing_experiments

MODELS: Final = "[!.]*.zip"
"""Models in a folder, without those that a killed run left half-written under a hidden name."""


def model_of(folder: ExperimentFolder, name: str) -> Path:
    """A model of an experiment: `best_model`, `model`, or a checkpoint by its file name, with or without `.zip`.

    Raises `UnknownNameError` listing the models that the experiment has.
    """
    for parent in (folder.path, folder.checkpoints):
        if (path := parent / (name.removesuffix(".zip") + ".zip")).is_file():
            return path
    found = [path.stem for path in (*folder.path.glob(MODELS), *folder.checkpoints.glob(MODELS))]
    if not found:
        raise InputError(f"{folder.path} has no model yet: its training did not come that far")
    raise UnknownNameError("model", name, found, where=str(folder.path))


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
