"""Paths as users write them, with `~` and environment variables."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

_VARIABLE: Final = re.compile(r"\$(\w+|\{\w+\})")
_WINDOWS: Final = re.compile(r"[A-Za-z]:/|.*\\")


def expanded(path: str) -> str:
    """Expand `~` and environment variables; keep unknown users and variables."""
    return os.path.expanduser(os.path.expandvars(path))


def expanded_folder(path: str) -> str:
    """Expand the path of a folder that is to be created.

    Raises:
        ValueError: a user or a variable is unknown, or the path is a Windows path on another system.
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
    """Describe why a folder cannot be created: a file or broken link in its way, or else the system's message."""
    for path in (folder, *folder.parents):
        if path.is_symlink() and not path.exists():
            return f"{path} is a symbolic link to {path.readlink()}, which does not exist"
        if path.exists() and not path.is_dir():
            return f"{path} is not a folder"
    return error.strerror or str(error)
