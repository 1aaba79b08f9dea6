"""Packages of a workspace, and the definitions in any of their folders."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from rl_pipeline.errors import InputError

Kind = Literal["msg", "srv"]

MANIFEST: Final = "package.xml"
BUILD_FILE: Final = "CMakeLists.txt"
IGNORED_BY: Final = ("COLCON_IGNORE", "AMENT_IGNORE")
"""Files that exclude a folder from the search, as in colcon, which puts one into its build and install folders."""


class Package:
    """A folder with a package.xml.

    Attributes:
        name: name in package.xml.
        folder: path of the package.
    """

    def __init__(self, folder: Path, files: list[Path]) -> None:
        """Read the name, and index the definitions among the files below the folder.

        Raises:
            InputError: package.xml has no name.
        """
        self.folder = folder
        self.name = _name(folder / MANIFEST)
        self._files = sorted(files)

    def definitions(self, kind: Kind) -> dict[str, list[Path]]:
        """Return files by two-part type name, which is the file's; several for an ambiguous name."""
        found: dict[str, list[Path]] = {}
        for path in self._files:
            if path.suffix == f".{kind}":
                found.setdefault(f"{self.name}/{path.stem}", []).append(path)
        return {name: self._choose(paths, kind) for name, paths in found.items()}

    def _choose(self, paths: list[Path], kind: Kind) -> list[Path]:
        """Choose of files of one name those that CMakeLists.txt names, else the one in ROS's usual folder, else all."""
        # The usual case.
        if len(paths) == 1:
            return paths
        build_file = self.folder / BUILD_FILE
        text = build_file.read_text(encoding="utf-8", errors="replace") if build_file.is_file() else ""
        # Paths in CMakeLists.txt, comments excluded.
        named = set(re.findall(r"[^\s\"':;()]+", re.sub("#.*", "", text)))
        relative = [path.relative_to(self.folder) for path in paths]
        by_build = [self.folder / path for path in relative if path.as_posix() in named]
        return by_build or [self.folder / path for path in relative if path.parent == Path(kind)] or paths


def find_packages(workspace: Path) -> list[Package]:
    """Find the packages in and below a folder that have definitions, in the order of their paths.

    Hidden folders and those with a COLCON_IGNORE are skipped. A file belongs to the innermost package around it.

    Raises:
        InputError: a package.xml without a name.
    """
    files: dict[Path, list[Path]] = {}
    for path, package in _definitions(workspace):
        files.setdefault(package, []).append(path)
    return [Package(folder, files[folder]) for folder in sorted(files)]


def _definitions(workspace: Path) -> Iterator[tuple[Path, Path]]:
    """Yield every `.msg` and `.srv` file in a package, with the folder of its package."""
    packages: dict[str, Path] = {}
    seen = set()
    for folder, inner, names in os.walk(workspace, followlinks=True):
        # Links may lead back to a folder that was searched.
        identity = os.stat(folder)
        if (identity.st_dev, identity.st_ino) in seen or any(mark in names for mark in IGNORED_BY):
            inner.clear()
            continue
        seen.add((identity.st_dev, identity.st_ino))
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        # The innermost package: this folder, or that of the folder above.
        package = Path(folder) if MANIFEST in names else packages.get(str(Path(folder).parent))
        if package is None:
            continue
        packages[folder] = package
        yield from ((Path(folder, name), package) for name in names if name.endswith((".msg", ".srv")))


def _name(manifest: Path) -> str:
    try:
        name = ElementTree.parse(manifest).findtext("name", "").strip()
    except ElementTree.ParseError as error:
        raise InputError(f"{manifest}: no XML: {error}") from None
    if not name:
        raise InputError(f"{manifest}: expected a <name>, found none")
    return name
