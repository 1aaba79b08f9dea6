"""One run at a time writes an experiment folder: a lock that the system itself releases when its process ends."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder


@contextmanager
def locked(folder: ExperimentFolder) -> Iterator[None]:
    """Hold the folder while the block runs; `run.lock` says who does.

    A killed process leaves the file, but never the lock on it.
    Raises `InputError` naming the process that holds it.
    """
    try:
        file = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputError(f"cannot write {folder.lock}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{folder.path} is being written by another run{_holder(file)}: wait for its end"
            ) from error
        os.truncate(file, 0)
        os.pwrite(file, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        yield
        folder.lock.unlink(missing_ok=True)
    finally:
        os.close(file)


def _holder(file: int) -> str:
    try:
        facts = json.loads(os.pread(file, 1000, 0))
        return f" (process {facts['pid']} on {facts['host']})"
    except (ValueError, KeyError, OSError):
        return ""
