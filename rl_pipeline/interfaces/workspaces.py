"""Workspaces: folders with the user's ROS packages, whose interface definitions take precedence over all others.

This module does without NumPy, since the launcher of players runs on machines without it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rl_pipeline.errors import InputError
from rl_pipeline.paths import expanded

WORKSPACE_VARIABLE: Final = "RL_PIPELINE_WORKSPACE"
"""Environment variable with workspaces, separated like the folders of PATH."""
WORKSPACE_KEY: Final = "simulation.workspace"
"""Configuration key with workspaces, which come before those of the variable."""

_used: tuple[Path, ...] = ()


def use_workspaces(folders: Iterable[Path], where: str = WORKSPACE_KEY) -> None:
    """Search these folders first in this process from now on, and in the players that it starts.

    Args:
        folders: relative to the working directory.
        where: file and key of the folders, for the error.

    Raises:
        InputError: there is no such folder.
    """
    global _used
    # Absolute: the working directory may change later.
    found = [_absolute(folder) for folder in folders]
    for folder in found:
        if not folder.is_dir():
            raise InputError(f"{where}: expected a folder with ROS packages, found no folder {folder}")
    # New folders come first.
    _used = tuple(dict.fromkeys([*found, *_used]))


def workspaces() -> tuple[Path, ...]:
    """Return the folders to search first, in this order."""
    of_variable = os.environ.get(WORKSPACE_VARIABLE, "").split(os.pathsep)
    return tuple(dict.fromkeys([*_used, *(_absolute(Path(folder)) for folder in of_variable if folder)]))


def workspace_environment() -> dict[str, str]:
    """Return the environment variable for a process that searches the same folders; empty if there are none."""
    folders = workspaces()
    return {WORKSPACE_VARIABLE: os.pathsep.join(map(str, folders))} if folders else {}


def _absolute(folder: Path) -> Path:
    return Path(expanded(str(folder))).absolute()
