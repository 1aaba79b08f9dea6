"""Folders with ROS packages of the user's own, whose interface definitions come before all others.

Kept apart from the interfaces themselves, since the launcher of players runs where NumPy is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rl_pipeline.errors import InputError
from rl_pipeline.paths import expanded

WORKSPACE_VARIABLE: Final = "RL_PIPELINE_WORKSPACE"
"""Environment variable: such folders, separated like those of PATH."""
WORKSPACE_KEY: Final = "simulation.workspace"
"""Key of the configuration: such folders, which come before those of the variable."""

_used: tuple[Path, ...] = ()


def use_workspaces(folders: Iterable[Path], where: str = WORKSPACE_KEY) -> None:
    """Search these folders first in this process from now on, and in the players that it starts.

    Args:
        folders: relative to the working directory.
        where: the file and key that names them, for the error.

    Raises:
        InputError: there is no such folder.
    """
    global _used
    found = [_absolute(folder) for folder in folders]
    for folder in found:
        if not folder.is_dir():
            raise InputError(f"{where}: expected a folder with ROS packages, found no folder {folder}")
    _used = tuple(dict.fromkeys([*found, *_used]))


def workspaces() -> tuple[Path, ...]:
    """The folders to search first, in this order."""
    of_variable = os.environ.get(WORKSPACE_VARIABLE, "").split(os.pathsep)
    return tuple(dict.fromkeys([*_used, *(_absolute(Path(folder)) for folder in of_variable if folder)]))


def workspace_environment() -> dict[str, str]:
    """The environment variable for another process that is to search the same folders; empty where there are none."""
    folders = workspaces()
    return {WORKSPACE_VARIABLE: os.pathsep.join(map(str, folders))} if folders else {}


def _absolute(folder: Path) -> Path:
    return Path(expanded(str(folder))).absolute()
