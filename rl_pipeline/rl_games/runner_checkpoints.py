"""Runs and models that `--checkpoint` names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rl_pipeline.config.composition import shown
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import find_model, model_of
from rl_pipeline.paths import expanded

OPTION: Final = "--checkpoint"


def find_checkpoint(checkpoint: str, directory: Path) -> ExperimentFolder | Path:
    """Return an experiment to resume, or the file of a model to start from.

    Args:
        checkpoint: value of the option. The folder of an experiment or of its run, or an experiment's last model, is
            an experiment to resume.
        directory: folder of the experiments.

    Raises:
        InputError: there is no such run or model.
    """
    checkpoint = expanded(checkpoint)
    if (folder := _run(checkpoint)) is not None:
        return folder

    # The last model has the same weights as the last state, which has everything else too.
    path = _model(checkpoint, directory)
    folder = ExperimentFolder(path.parent)
    if path == folder.model and folder.config.is_file() and folder.states.is_dir():
        return folder
    return path


def find_network(checkpoint: str, directory: Path) -> Path:
    """Return the file of a model to play, the best one of a run or an experiment. Raises `InputError` for none."""
    checkpoint = expanded(checkpoint)
    folder = _run(checkpoint)
    return _model(checkpoint, directory) if folder is None else model_of(folder, "best_model")


def _run(checkpoint: str) -> ExperimentFolder | None:
    """Return the experiment of a folder, or of a run's folder; None for any other path."""
    for path in (Path(checkpoint) / "experiment", Path(checkpoint)):
        if (path / "config.yaml").is_file():
            return ExperimentFolder(_follow_link(path))
    return None


def _model(checkpoint: str, directory: Path) -> Path:
    if Path(checkpoint).suffix in (".pth", ".pt"):
        raise InputError(f"{OPTION}: {checkpoint} is a checkpoint of PyTorch; expected a model of this project, a .zip")
    return _follow_link(find_model(checkpoint, directory, OPTION))


def _follow_link(path: Path) -> Path:
    """Resolve a path: the entries of a run's folder are links into its experiment."""
    return Path(shown(path.resolve()))
