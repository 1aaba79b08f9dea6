"""Files that appear whole or not at all, a temporary name, synced, then renamed; and folders that stay."""

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
    """Give a temporary path beside `path`; when the block ends well, what was written there becomes `path`.

    Raises `InputError` naming `path` when the disk is full, the folder is gone or cannot be written. Whatever the
    failure, `path` keeps its former content and nothing else is left behind.
    """
    temporary = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        yield temporary
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
    """Make a folder and those above it, unless they are there, so that they survive a power failure.

    Raises `OSError` when one cannot be made.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Have the disk hold the names in a folder, where the file system can: a file or folder in it may be new."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def disk_failures(folder: Path) -> Iterator[None]:
    """Turn what libraries raise in the block when `folder` takes no more data into an `InputError` that says so."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
            raise
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error


class OptionalFile:
    """A file that a training can do without: the first failure to write it costs a warning, and no more is tried.

    Attributes:
        path: the file, or the folder of a writer that names its files itself.
        given_up: whether a write has failed.
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
    """Find out before a long computation whether its result can be written to `path`.

    Raises `InputError` naming `where`, the option or key that the path comes from.
    """
    if not path.parent.is_dir():
        raise InputError(f"{where}: there is no folder {path.parent}")
    if path.is_dir():
        raise InputError(f"{where}: expected a file, found the folder {path}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{where}: cannot write to {path.parent}: Permission denied")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole. Raises `InputError` as `whole_file` does."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a UTF-8 file whole. Raises `InputError` as `whole_file` does."""
    write_bytes(path, content.encode())
