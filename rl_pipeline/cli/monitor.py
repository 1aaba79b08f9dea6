"""`rl-pipeline monitor`: watch from another terminal where the time of a training's steps goes."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.communication_table import communication_table
from rl_pipeline.experiment.communication_file import read_communication
from rl_pipeline.experiment.folder import ExperimentFolder, existing_experiments
from rl_pipeline.plurals import plural

PERIOD: Final = 0.5
"""Seconds between two looks at what the run has written; it writes once a second."""


def monitor(experiment: str | None, directory: Path, *, once: bool, console: Console) -> None:
    """Show the table of an experiment until its run ends; what is there then stays on the screen.

    Args:
        experiment: its folder or name; None: the newest that runs, else the newest that has figures.
        directory: where experiments are.
        once: print what there is and return.
        console: where it is shown.

    Raises:
        InputError: there is no such experiment, or no figures are to come from it.
    """
    folder = _find(experiment, directory)
    if once or not console.is_terminal:
        console.print(_table(folder))
        return
    with Live(_table(folder), console=console, auto_refresh=False) as live:
        while _is_running(folder):
            threading.Event().wait(PERIOD)
            live.update(_table(folder), refresh=True)
        live.update(_table(folder), refresh=True)


def _find(experiment: str | None, directory: Path) -> ExperimentFolder:
    if experiment is None:
        folders = existing_experiments(directory)
        running = [folder for folder in folders if _is_running(folder)]
        for folder in (*running, *(folder for folder in folders if folder.communication.exists())):
            return folder
        raise InputError(f"no experiment on players in {directory}: run `rl-pipeline train` first")
    folder = ExperimentFolder.find(experiment, directory)
    if not folder.communication.exists() and not _is_running(folder):
        raise InputError(f"{folder.path}: its run has ended and left no communication.json; was it on players?")
    return folder


def _table(folder: ExperimentFolder) -> Table:
    found = read_communication(folder.communication)
    figures, timesteps = found if found is not None else (None, 0)
    state = "" if _is_running(folder) else ", ended"
    return communication_table(figures, f"{folder.path.name}: {timesteps:,} {plural(timesteps, 'step')}{state}")


def _is_running(folder: ExperimentFolder) -> bool:
    try:
        return bool(json.loads(folder.metadata.read_text(encoding="utf-8"))["status"] == "running")
    except (OSError, ValueError, KeyError):
        return False
