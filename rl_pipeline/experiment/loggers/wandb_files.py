"""Downloads from Weights & Biases: models, and states to resume from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Final

from rl_pipeline.errors import InputError

SCHEME: Final = "wandb:"
TIMEOUT: Final = 30
"""Seconds that Weights & Biases may take to answer."""

STATE: Final = "state.zip"
"""The newest state of a run, under one name among its files."""
BESIDE_STATE: Final = ("metadata.json", "evaluations.npz", "episodes.csv", "best_model.zip")
"""Files that a resumed run reads in addition to its state, if they exist."""

_MODELS = ("best_model.zip", "model.zip")


def download_model(reference: str, directory: Path, where: str) -> Path:
    """Download the model that `wandb:entity/project/run[/file]` names, by default the best one, else the last.

    It goes to `<directory>/wandb/<run>/`. Raises `InputError` naming `where` when there is no such run or file, or
    Weights & Biases cannot be reached.
    """
    run_path, wanted = _parsed(reference, where)
    files = _files(run_path, reference, where)
    models = sorted(name for name in files if name.endswith(".zip") and name != STATE)
    name = next((name for name in ([wanted] if wanted else _MODELS) if name in files), None)
    if name is None:
        raise InputError(f"{where}: {reference} has no {wanted or 'model'}; its models: {', '.join(models) or 'none'}")
    return _downloaded(files, [name], directory, run_path) / name


def download_state(reference: str, directory: Path, where: str) -> Path:
    """Download the state of the run `wandb:entity/project/run` to `<directory>/wandb/<run>/`, and return that folder.

    Raises `InputError` as `download_model` does.
    """
    run_path, wanted = _parsed(reference, where)
    if wanted:
        raise InputError(f"{where}: expected wandb:entity/project/run, found {reference}")
    files = _files(run_path, reference, where)
    if STATE not in files:
        raise without_state(reference, where)
    return _downloaded(files, [STATE, *(name for name in BESIDE_STATE if name in files)], directory, run_path)


def without_state(reference: str, where: str) -> InputError:
    """Return the error for a run, or a folder of its files, that cannot be resumed."""
    return InputError(
        f"{where}: {reference} has no {STATE}, so it cannot be resumed; to start a new run from its weights: "
        f"rl-pipeline train --initialize-from {shlex.quote(reference)}"
    )


def _parsed(reference: str, where: str) -> tuple[str, str]:
    """`entity/project/run`, and the file in it or nothing."""
    entity, project, run_id, *rest = [*reference.removeprefix(SCHEME).strip("/").split("/"), "", ""]
    if not (entity and project and run_id):
        raise InputError(
            f"{where}: expected wandb:entity/project/run or wandb:entity/project/run/file, found {reference}"
        )
    return f"{entity}/{project}/{run_id}", "/".join(part for part in rest if part)


def _files(run_path: str, reference: str, where: str) -> dict[str, Any]:
    import wandb

    try:
        return {file.name: file for file in wandb.Api(timeout=TIMEOUT).run(run_path).files()}
    except Exception as error:  # any error of a service on the network
        first_line = (str(error).splitlines() or [""])[0]
        raise InputError(f"{where}: {reference} cannot be had: {type(error).__name__}: {first_line}") from error


def _downloaded(files: dict[str, Any], names: list[str], directory: Path, run_path: str) -> Path:
    target = directory / "wandb" / run_path.rpartition("/")[2]
    for name in names:
        files[name].download(root=str(target), replace=True)
    return target
