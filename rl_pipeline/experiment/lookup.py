"""Search for model files by name, in an experiment or anywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from rl_pipeline.errors import InputError, UnknownNameError, suggestion
from rl_pipeline.experiment.folder import ExperimentFolder, existing_experiments
from rl_pipeline.experiment.loggers.wandb_files import SCHEME, download_model

SYNONYMS = {"final": "model", "last": "model", "model_final": "model", "best": "best_model"}

CHECKPOINTS: Final = "checkpoints"
ALL: Final = "all"

MODELS: Final = "[!.]*.zip"
"""Models in a folder, without those that a killed run left half-written under a hidden name."""


def model_of(folder: ExperimentFolder, name: str) -> Path:
    """Find a model of an experiment: `best_model`, `model` (`final`), or a checkpoint by file name or by steps.

    The suffix `.zip` is optional; steps may be grouped, as in `200_000` and `model_200_000`.

    Raises `UnknownNameError` listing the models that the experiment has.
    """
    # Synonyms and steps become the stem of a file.
    stem = name.removesuffix(".zip")
    stem = SYNONYMS.get(stem, stem)
    if (steps := stem.removeprefix("model_").replace("_", "")).isdigit():
        stem = f"model_{int(steps)}_steps"
    for parent in (folder.path, folder.checkpoints):
        if (path := parent / f"{stem}.zip").is_file():
            return path
    found = [path.stem for path in (*folder.path.glob(MODELS), *folder.checkpoints.glob(MODELS))]
    if not found:
        raise InputError(f"{folder.path} has no model yet: its training did not come that far")
    raise UnknownNameError("model", name, found, where=str(folder.path))


def models_of(folder: ExperimentFolder, name: str) -> list[str]:
    """List names of models: `checkpoints` in the order of their steps, `all` (these and the last), or one by its name.

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


def find_model(reference: str, directory: Path, where: str, step: int | str | None = None) -> Path:
    """Find a model to start from.

    Args:
        reference: a file; an experiment by its folder (one downloaded from Weights & Biases too) or its name under
            `directory`; a model of one, as `<experiment>/<model>`; or `wandb:entity/project/run[/file]`.
        directory: folder of the experiments.
        where: key or option that the reference is from.
        step: a model of the experiment, by environment steps or name; None: the best, else the last.

    Raises:
        InputError: there is no such model; the message names `where` and similar experiments.
    """
    if reference.startswith(SCHEME):
        return download_model(reference, directory, where)
    # A file comes before an experiment of the same name.
    for path in (Path(reference), Path(f"{reference}.zip")):
        if path.is_file():
            return path
    if (folder := _experiment(reference, directory)) is not None:
        return _default_model(folder, where) if step is None else model_of(folder, str(step))
    parent, _, name = reference.rpartition("/")
    if parent and (folder := _experiment(parent, directory)) is not None:
        return model_of(folder, name)
    names = list(dict.fromkeys(folder.path.name for folder in existing_experiments(directory)))[:10]
    raise InputError(
        f"{where}: {reference!r} is neither a model file nor an experiment under {directory}"
        f"{suggestion(reference, names) or '; there is none yet'}"
    )


def _experiment(reference: str, directory: Path) -> ExperimentFolder | None:
    """Return the experiment of that folder, or the newest of that name."""
    if Path(reference).is_dir():
        return ExperimentFolder(Path(reference))
    return next((folder for folder in existing_experiments(directory) if folder.path.name == reference), None)


def _default_model(folder: ExperimentFolder, where: str) -> Path:
    for path in (folder.best_model, folder.model):
        if path.is_file():
            return path
    raise InputError(f"{where}: {folder.path} has no best_model.zip or model.zip")


def _numbers(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]
