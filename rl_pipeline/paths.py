"""Paths as people write them: with `~`, with environment variables, and for another system."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

_VARIABLE: Final = re.compile(r"\$(\w+|\{\w+\})")
_WINDOWS: Final = re.compile(r"[A-Za-z]:/|.*\\")


def expanded(path: str) -> str:
    """`path` with `~` and environment variables replaced; users and variables that are unknown stay as they are."""
    return os.path.expanduser(os.path.expandvars(path))


def expanded_folder(path: str) -> str:
    """The same for a folder that is yet to be made.

    Raises:
        ValueError: a user or a variable is unknown, or it is a path of Windows on another system.
    """
    result = expanded(path)
    if (variable := _VARIABLE.search(result)) is not None:
        raise ValueError(f"found {path!r}, but there is no environment variable {variable[1].strip('{}')}")
    if result.startswith("~"):
        raise ValueError(f"found {path!r}, but there is no user {result[1:].partition('/')[0]!r}; ./{path} is a folder")
    if os.name != "nt" and _WINDOWS.match(result):
        raise ValueError(f"expected a path of this system, such as /home/me/runs, found {path!r}, a path of Windows")
    return result


def obstacle(folder: Path, error: OSError) -> str:
    """Why a folder cannot be made: what stands in its place or in that of one above it, else what the system says."""
    for path in (folder, *folder.parents):
        if path.is_symlink() and not path.exists():
            return f"{path} is a symbolic link to {path.readlink()}, which does not exist"
        if path.exists() and not path.is_dir():
            return f"{path} is not a folder"
    return error.strerror or str(error)
