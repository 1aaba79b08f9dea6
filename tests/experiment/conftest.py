from __future__ import annotations

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest


@contextmanager
def _files_no_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses to write beyond `size` bytes, as it does on a full disk."""
    former_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    former_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former_limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former_limit)
        signal.signal(signal.SIGXFSZ, former_handler)


@pytest.fixture
def files_no_larger_than() -> Callable[[int], AbstractContextManager[None]]:
    """A full disk, while the block runs, for files of more than so many bytes."""
    return _files_no_larger_than
