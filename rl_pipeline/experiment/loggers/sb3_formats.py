"""Log file and Stable-Baselines3 outputs of a run: train.log, progress.csv and TensorBoard."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.logger import (
    HumanOutputFormat,
    KVWriter,
    Logger,
    TensorBoardOutputFormat,
    filter_excluded_keys,
)
from torch.utils.tensorboard.writer import SummaryWriter

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import OptionalFile
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.progress_file import ProgressFile
from rl_pipeline.experiment.loggers.resumable_logger import ResumableLogger
from rl_pipeline.experiment.loggers.run_logger import RunLoggers

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def log_file(folder: ExperimentFolder) -> Iterator[None]:
    """Write everything that this package logs from INFO up to the folder's train.log while the block runs.

    The traceback of an exception that leaves the block is written too; the terminal shows it with `--debug` alone.
    Raises `InputError` when that file cannot be opened.
    """
    package = logging.getLogger("rl_pipeline")
    try:
        handler = _LogFile(folder.log, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {folder.log}: {error.strerror}") from error
    handler.setFormatter(logging.Formatter(FORMAT))
    level = package.level
    package.addHandler(handler)
    package.setLevel(min(level or logging.INFO, logging.INFO))
    # The traceback is formatted here, while its frames are alive.
    try:
        yield
    except Exception:
        trace = sys.exc_info()
        handler.handle(package.makeRecord(package.name, logging.ERROR, __file__, 0, "the run failed", (), trace))
        raise
    finally:
        package.removeHandler(handler)
        package.setLevel(level)
        with suppress(OSError):
            handler.close()


@contextmanager
def quiet_terminal(verbose: int) -> Iterator[None]:
    """With `verbose` 0, pass only warnings on to the terminal while the block runs; train.log has the rest too."""
    handlers = [] if verbose else [
        handler for handler in logging.getLogger("rl_pipeline").handlers if not isinstance(handler, _LogFile)
    ]  # fmt: skip
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(max(handler.level, logging.WARNING))
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)


class _LogFile(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the library's
        """Drop lines that a full disk refuses: a trace for each would bury the error that follows."""


def training_logger(
    folder: ExperimentFolder, verbose: int, until: int = 0, interval: int = 1, loggers: RunLoggers | None = None
) -> ResumableLogger:
    """Make Stable-Baselines3's logger for a run; `verbose` 2 adds its tables on standard output.

    A file that cannot be written costs a warning, never the training. A run resumed at `until` steps keeps the rows up
    to there and drops later ones. On-policy algorithms log every `interval`-th rollout. `loggers` get the scalars.
    """
    # Files first: a logger of the user's may be slow.
    formats: list[KVWriter] = [
        _OptionalFormat(lambda path: ProgressFile(path, until), folder.progress),
        _OptionalFormat(lambda path: _Curves(path, until), folder.tensorboard),
    ]
    if verbose >= 2:
        formats.append(HumanOutputFormat(sys.stdout))
    if loggers is not None:
        formats.append(_ScalarFormat(loggers))
    return ResumableLogger(folder.path, formats, interval)


def summary_writer(logger: Logger) -> SummaryWriter | None:
    """Return the writer of TensorBoard events, for figures over another axis than steps; None: there is none."""
    formats = (each._format if isinstance(each, _OptionalFormat) else each for each in logger.output_formats)
    return next((each.writer for each in formats if isinstance(each, TensorBoardOutputFormat)), None)


class _ScalarFormat(KVWriter):
    """Hand the scalars of TensorBoard's events to the loggers of the run."""

    def __init__(self, loggers: RunLoggers) -> None:
        self._loggers = loggers

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        shown = filter_excluded_keys(key_values, key_excluded, "tensorboard")
        scalars = {name: float(value) for name, value in shown.items() if isinstance(value, int | float | np.number)}
        self._loggers.log_scalars(scalars, step)

    def close(self) -> None:
        """Leave the loggers open: the evaluation at the end comes after."""


class _OptionalFormat(KVWriter):
    """One of the library's formats until its file takes no more."""

    def __init__(self, make: Callable[[Path], KVWriter], path: Path) -> None:
        self._file = OptionalFile(path)
        self._format: KVWriter | None = None
        self._file.attempt(lambda: self._open(make))

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        if (written := self._format) is not None:
            self._file.attempt(lambda: written.write(key_values, key_excluded, step))

    def close(self) -> None:
        if self._format is not None:
            self._file.attempt(self._format.close)

    def _open(self, make: Callable[[Path], KVWriter]) -> None:
        self._format = make(self._file.path)


class _Curves(TensorBoardOutputFormat):
    """TensorBoard's events; a resumed run purges those logged after its checkpoint."""

    def __init__(self, path: Path, until: int) -> None:
        self.writer = SummaryWriter(log_dir=str(path), purge_step=until + 1 if until else None)
        self._is_closed = False
