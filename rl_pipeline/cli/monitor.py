"""`rl-pipeline monitor`: watch from another terminal where the time of a training's steps goes."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.options import Directory, Experiment, directory_or_default
from rl_pipeline.cli.registration import command_options
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder, existing_experiments
from rl_pipeline.plurals import plural

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

REFRESH_PERIOD: Final = 0.5
"""Seconds between two readings of the run's file, which is written once a second."""


@command_options(epilog="Example: rl-pipeline monitor --experiment navigation_ppo")
def monitor(
    experiment: Experiment = None,
    directory: Directory = None,
    once: Annotated[bool, typer.Option("--once", help="Print the table and end.")] = False,
) -> None:
    """Watch where the time of a training's steps goes: players, link, policy."""
    show_communication(experiment, directory_or_default(directory), once=once, console=make_console())


def show_communication(experiment: str | None, directory: Path, *, once: bool, console: Console) -> None:
    """Show the communication table of an experiment until its run ends; the last one stays on the screen.

    Args:
        experiment: its folder or name; None: the newest one that is running, else the newest with figures.
        directory: folder of the experiments.
        once: print the present table and return.
        console: output; without a terminal, `once` is assumed.

    Raises:
        InputError: there is no such experiment, or it ended without figures.
    """
    from rich.live import Live

    folder = _find(experiment, directory)
    if once or not console.is_terminal:
        console.print(_table(folder))
        return
    with Live(_table(folder), console=console, auto_refresh=False) as live:
        while _is_running(folder):
            threading.Event().wait(REFRESH_PERIOD)
            live.update(_table(folder), refresh=True)
        # The run may have written once more between the last reading and its end.
        live.update(_table(folder), refresh=True)


def _find(experiment: str | None, directory: Path) -> ExperimentFolder:
    if experiment is None:
        # Newest first; a running experiment may not have written figures yet.
        folders = existing_experiments(directory)
        running = [folder for folder in folders if _is_running(folder)]
        with_figures = [folder for folder in folders if folder.communication.exists()]
        for folder in (*running, *with_figures):
            return folder
        raise InputError(f"no experiment on players in {directory}: run `rl-pipeline train` first")
    folder = ExperimentFolder.find(experiment, directory)
    if not folder.communication.exists() and not _is_running(folder):
        raise InputError(f"{folder.path}: its run has ended and left no communication.json; was it on players?")
    return folder


def _table(folder: ExperimentFolder) -> Table:
    # These import PyTorch.
    from rl_pipeline.evaluation.communication_table import communication_table
    from rl_pipeline.experiment.communication_file import read_communication

    found = read_communication(folder.communication)
    figures, timesteps = found if found is not None else (None, 0)
    state = "" if _is_running(folder) else ", ended"
    return communication_table(figures, f"{folder.path.name}: {timesteps:,} {plural(timesteps, 'step')}{state}")


def _is_running(folder: ExperimentFolder) -> bool:
    try:
        return bool(json.loads(folder.metadata.read_text(encoding="utf-8"))["status"] == "running")
    except (OSError, ValueError, KeyError):
        return False
