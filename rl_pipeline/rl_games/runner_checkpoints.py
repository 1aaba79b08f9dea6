"""What `--checkpoint` means: a run to go on with, or a model."""

from __future__ import annotations

from pathlib import Path

from rl_pipeline.config.composition import shown
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import find_model, model_of
from rl_pipeline.paths import expanded

OPTION = "--checkpoint"


def find_checkpoint(checkpoint: str, directory: Path) -> ExperimentFolder | Path:
    """The experiment whose last state is meant, by its folder, its run's folder or its last model; else a model's file.

    Args:
        checkpoint: what the user gave.
        directory: where the experiment folders are.

    Raises:
        InputError: there is no such run or model.
    """
    checkpoint = expanded(checkpoint)
    if (folder := _run(checkpoint)) is not None:
        return folder
    path = _model(checkpoint, directory)
    folder = ExperimentFolder(path.parent)
    if path == folder.model and folder.config.is_file() and folder.states.is_dir():
        return folder
    return path


def find_network(checkpoint: str, directory: Path) -> Path:
    """The file of the model that is to play: of a run or an experiment its best. Raises `InputError`: there is none."""
    checkpoint = expanded(checkpoint)
    folder = _run(checkpoint)
    return _model(checkpoint, directory) if folder is None else model_of(folder, "best_model")


def _run(checkpoint: str) -> ExperimentFolder | None:
    """The experiment of that folder, or of that run's folder."""
    for path in (Path(checkpoint) / "experiment", Path(checkpoint)):
        if (path / "config.yaml").is_file():
            return ExperimentFolder(_followed(path))
    return None


def _model(checkpoint: str, directory: Path) -> Path:
    if Path(checkpoint).suffix in (".pth", ".pt"):
        raise InputError(f"{OPTION}: {checkpoint} is a checkpoint of PyTorch; expected a model of this project, a .zip")
    return _followed(find_model(checkpoint, directory, OPTION))


def _followed(path: Path) -> Path:
    """Where a path leads: the entries of a run's folder are links into its experiment."""
    return Path(shown(path.resolve()))
