"""Lines of the user's own code in the traceback of an unexpected error."""

from __future__ import annotations

import site
import sysconfig
import traceback
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent


def describe_failure(error: BaseException) -> str:
    """Describe an unexpected error: its type, its message, and the line of the user's code that it came from."""
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    line = user_line(error)
    return f"{message} ({line})" if line else message


def user_line(error: BaseException) -> str:
    """Name the innermost line of code that is called by this package and is neither its own nor a library's.

    Returns:
        Such as `tasks.py, line 12, in reward`; empty when there is no such code.
    """
    frames = traceback.extract_tb(error.__traceback__)
    found, is_called = "", False
    for frame in frames:
        if frame.filename.startswith("<"):
            continue
        path = Path(frame.filename).resolve()
        if path.is_relative_to(_PACKAGE):
            is_called = True
        elif is_called and not any(path.is_relative_to(folder) for folder in _library_folders()):
            found = f"{_short(path)}, line {frame.lineno}, in {frame.name}"
    return found


def _library_folders() -> set[Path]:
    """Return the folders of the standard library and of installed packages."""
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return {Path(folder).resolve() for folder in (*folders, *site.getsitepackages(), site.getusersitepackages())}


def _short(path: Path) -> str:
    """Shorten a path below the working directory to a relative one."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
