"""User modules, which register tasks, algorithms, wrappers, loggers and other parts when they are imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

from rl_pipeline.errors import InputError
from rl_pipeline.tracebacks import describe_failure

SUFFIX: Final = ".py"


def import_user_module(name: str, where: str) -> ModuleType:
    """Import a module by name or a file by path, once.

    A name is searched on Python's path, then in the working directory; a file may import its neighbours. Both folders
    stay on the path, since a module may import more when it is used.

    Args:
        name: such as `my_package.tasks`, or `code/my_tasks.py`, relative to the working directory.
        where: configuration key or option that names the module, for error messages.

    Raises:
        InputError: there is no such module or file, or it fails when it is imported.
    """
    try:
        if name.endswith(SUFFIX):
            return _file(Path(name))
        _put_on_path(Path.cwd())
        return importlib.import_module(name)
    except Exception as error:  # whatever the user's code raises
        raise InputError(f"{where}: cannot import {name} ({_reason(name, error)})") from error


def load_file(name: str, path: Path) -> ModuleType:
    """Import a file as the module `name`, so that later imports of `name` return it."""
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def is_local(name: str) -> bool:
    """Return whether importing a module would run a file for the first time that is given by path or not installed."""
    if name.endswith(SUFFIX):
        return Path(name).stem not in sys.modules
    if name in sys.modules:
        return False
    elsewhere = [folder for folder in sys.path if Path(folder).absolute() != Path.cwd()]
    found = PathFinder.find_spec(name.partition(".")[0], elsewhere)
    return (
        found is None or found.origin is None
    )  # a package without __init__.py may have parts in the working directory


def _file(path: Path) -> ModuleType:
    path = path.absolute()
    if (known := sys.modules.get(path.stem)) is not None:
        if Path(getattr(known, "__file__", None) or "").absolute() != path:
            raise ImportError(f"another module is named {path.stem}; rename the file")
        return known
    if not path.is_file():
        raise ImportError("no such file")
    _put_on_path(path.parent)
    return load_file(path.stem, path)


def _put_on_path(folder: Path) -> None:
    """Append a folder to the import path, so that no user file shadows a library."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _reason(name: str, error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name in (name, name.partition(".")[0]):
        return f"{error}, neither installed nor in {Path.cwd()}"
    return str(error) if isinstance(error, ImportError) else describe_failure(error)
