"""Models among the files of a run on Weights & Biases."""

from __future__ import annotations

from pathlib import Path

from rl_pipeline.errors import InputError

SCHEME = "wandb:"
TIMEOUT = 30
"""Seconds that Weights & Biases may take to answer."""

_MODELS = ("best_model.zip", "model.zip")


def download_model(reference: str, directory: Path, where: str) -> Path:
    """Download the model that `wandb:entity/project/run[/file]` names, by default the best one, else the last.

    It goes to `<directory>/wandb/<run>/`. Raises `InputError` naming `where` when there is no such run or file, or
    Weights & Biases cannot be reached.
    """
    entity, project, run_id, *rest = [*reference.removeprefix(SCHEME).strip("/").split("/"), "", ""]
    if not (entity and project and run_id):
        raise InputError(
            f"{where}: expected wandb:entity/project/run or wandb:entity/project/run/file, found {reference}"
        )
    wanted = "/".join(part for part in rest if part)
    import wandb

    try:
        files = {file.name: file for file in wandb.Api(timeout=TIMEOUT).run(f"{entity}/{project}/{run_id}").files()}
    except Exception as error:  # whatever a service on the network can raise
        first_line = (str(error).splitlines() or [""])[0]
        raise InputError(f"{where}: {reference} cannot be had: {type(error).__name__}: {first_line}") from error
    models = sorted(name for name in files if name.endswith(".zip"))
    name = next((name for name in ([wanted] if wanted else _MODELS) if name in files), None)
    if name is None:
        raise InputError(f"{where}: {reference} has no {wanted or 'model'}; its models: {', '.join(models) or 'none'}")
    target = directory / "wandb" / run_id
    files[name].download(root=str(target), replace=True)
    return target / name
