"""Atomic writes: a temporary file is synced, then renamed; folders survive a power failure."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rl_pipeline.errors import InputError

logger = logging.getLogger(__name__)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; the file written there becomes `path` when the block succeeds.

    Raises `InputError` naming `path` when the disk is full, or the folder is gone or cannot be written. After any
    failure `path` keeps its former content, and the temporary file is removed.
    """
    temporary = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        yield temporary
        # Content before name: a power failure between the two must not leave an empty file under the final name.
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder and its missing parents, so that they survive a power failure.

    Raises `OSError` when one cannot be made.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Sync the names in a folder to the disk, where the file system can: new files are lost otherwise."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def disk_failures(folder: Path) -> Iterator[None]:
    """Turn the `OSError` of a full or read-only disk that holds `folder` into an `InputError`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
            raise
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error


class OptionalFile:
    """File that a training can do without: the first failed write costs a warning and is the last attempt.

    Attributes:
        path: the file, or the folder of a writer that names its files itself.
        given_up: True once a write has failed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.given_up = False

    def attempt(self, write: Callable[[], object]) -> None:
        """Call `write` unless an earlier one failed."""
        if self.given_up:
            return
        try:
            write()
        except (OSError, InputError) as error:
            self.given_up = True
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            message = reason if isinstance(error, InputError) else f"cannot write {self.path}: {reason}"
            logger.warning("%s; the training goes on without it", message)


def check_destination(path: Path, where: str) -> None:
    """Check before a long computation that its result can be written to `path`.

    Raises `InputError` naming `where`, the option or key that the path comes from.
    """
    if not path.parent.is_dir():
        raise InputError(f"{where}: there is no folder {path.parent}")
    if path.is_dir():
        raise InputError(f"{where}: expected a file, found the folder {path}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{where}: cannot write to {path.parent}: Permission denied")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically. Raises `InputError` as `whole_file` does."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a UTF-8 file atomically. Raises `InputError` as `whole_file` does."""
    write_bytes(path, content.encode())
