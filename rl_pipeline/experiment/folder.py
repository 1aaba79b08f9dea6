"""Experiment folder: every file of a run, under fixed names."""

from __future__ import annotations

import datetime
import fcntl
import json
import logging
import os
import shlex
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.atomic_files import make_folder, sync_folder
from rl_pipeline.paths import obstacle

logger = logging.getLogger(__name__)

_HOLDERS: Final[set[tuple[Path, int]]] = set()
"""Folders that are locked by threads of this process."""


@dataclass(frozen=True)
class ExperimentFolder:
    """`<directory>/<environment>/<algorithm>/<name>/` and the names in it.

    Attributes:
        path: the folder itself.
    """

    path: Path

    @classmethod
    def create(cls, directory: Path, environment_id: str, algorithm: str, name: str) -> ExperimentFolder:
        """Make a new folder; a name that is taken gets a time stamp.

        The remains of a failed start under that name are replaced.
        Raises `InputError` when the folder cannot be written.
        """
        if name in (".", "..") or "/" in name or "\\" in name:
            raise InputError(f"experiment.name: expected the name of a folder, found {name!r}")
        parent = directory / environment_folder(environment_id) / algorithm
        try:
            make_folder(parent)
            folder = cls(_make_unique(parent, name))
            sync_folder(parent)
        except OSError as error:
            raise InputError(f"experiment.directory: cannot write to {parent}: {obstacle(parent, error)}") from error
        folder.complete()
        return folder

    @classmethod
    def find(cls, experiment: str | None, directory: Path) -> ExperimentFolder:
        """Find an experiment by its folder or by its name under `directory`; None: the newest that has a model.

        The newest of several with that name is taken. Raises `UnknownNameError` listing the existing ones.
        """
        if experiment is not None and (Path(experiment) / "config.yaml").is_file():
            return cls(Path(experiment))
        # Without a name: the newest that can be played.
        folders = existing_experiments(directory)
        if experiment is None:
            for folder in folders:
                if folder.model.exists() or folder.best_model.exists():
                    return folder
            raise InputError(f"no experiment with a trained model in {directory}: run `rl-pipeline train` first")
        # By name, or by the path as `runs` prints it.
        named = [folder for folder in folders if experiment in (folder.path.name, str(folder.path))]
        if not folders:
            raise InputError(f"no experiment {experiment!r} in {directory}: there is none at all yet")
        if not named:
            raise UnknownNameError(
                "experiment", experiment, {folder.path.name for folder in folders}, where=str(directory)
            )
        if len(named) > 1:
            logger.info("%d experiments are named %s; using the newest, %s", len(named), experiment, named[0].path)
        return named[0]

    def complete(self) -> None:
        """Make the missing folders inside. Raises `InputError` when one cannot be made."""
        for inner in (self.checkpoints, self.states, self.videos, self.tensorboard):
            try:
                make_folder(inner)
            except OSError as error:
                raise InputError(f"cannot write to {self.path}: {obstacle(inner, error)}") from error

    def discard(self) -> Path:
        """Delete a run that took no step, except its log, which is returned, and the logs of its players."""
        for path in self.path.iterdir():
            if path in (self.log, self.players):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return self.log.replace(self.failed_start)

    @property
    def resume_command(self) -> str:
        """Command that trains on from the newest state of the run."""
        return f"rl-pipeline resume {shlex.quote(str(self.path))}"

    @property
    def initialize_command(self) -> str:
        """Command that begins a new run with the weights of this one."""
        return f"rl-pipeline train --initialize-from {shlex.quote(str(self.path))}"

    @property
    def config(self) -> Path:
        """The whole configuration, as it was resolved."""
        return self.path / "config.yaml"

    @property
    def overrides(self) -> Path:
        """The overrides of the command line."""
        return self.path / "overrides.yaml"

    @property
    def metadata(self) -> Path:
        """Versions, commit, host, seeds, command and status of the run."""
        return self.path / "metadata.json"

    @property
    def model(self) -> Path:
        """The model at the end of the run."""
        return self.path / "model.zip"

    @property
    def best_model(self) -> Path:
        """The model that did best in the evaluations during training."""
        return self.path / "best_model.zip"

    @property
    def checkpoints(self) -> Path:
        """Folder of the models saved during training."""
        return self.path / "checkpoints"

    @property
    def replay_buffer(self) -> Path:
        """The replay buffer of an off-policy algorithm, as of the end of the run."""
        return self.path / "replay_buffer.pkl"

    @property
    def states(self) -> Path:
        """Folder of the states that the run can be resumed from."""
        return self.path / "states"

    @property
    def lock(self) -> Path:
        """Lock of the process that writes this folder."""
        return self.path / "run.lock"

    @property
    def videos(self) -> Path:
        """Folder of the videos."""
        return self.path / "videos"

    @property
    def final_video(self) -> Path:
        """The best model at work, filmed at the end."""
        return self.videos / "final.mp4"

    @property
    def tensorboard(self) -> Path:
        """Folder of the TensorBoard events."""
        return self.path / "tensorboard"

    @property
    def evaluations(self) -> Path:
        """The evaluations during training, as arrays."""
        return self.path / "evaluations.npz"

    @property
    def evaluation(self) -> Path:
        """The evaluation at the end."""
        return self.path / "evaluation.json"

    @property
    def progress(self) -> Path:
        """Scalars that the algorithm logs, a line for each rollout."""
        return self.path / "progress.csv"

    @property
    def episodes(self) -> Path:
        """Return, length and success of each training episode."""
        return self.path / "episodes.csv"

    @property
    def communication(self) -> Path:
        """Time of the last steps by part of the communication, rewritten during the run."""
        return self.path / "communication.json"

    @property
    def curves(self) -> Path:
        """The picture of the training."""
        return self.path / "curves.png"

    @property
    def elo(self) -> Path:
        """The picture of the ratings of self-play."""
        return self.path / "elo.png"

    @property
    def log(self) -> Path:
        """Log of the run."""
        return self.path / "train.log"

    @property
    def failed_start(self) -> Path:
        """Log of a start that failed before the first step; the next run of that name takes the folder over."""
        return self.path / "failed_start.log"

    @property
    def players(self) -> Path:
        """Folder of the logs of the players."""
        return self.path / "players"


def environment_folder(environment_id: str) -> str:
    """Return the folder of an environment: its id without the namespace, so that all folders are equally deep."""
    return environment_id.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def existing_experiments(directory: Path) -> list[ExperimentFolder]:
    """List the experiments under `directory`, newest first."""
    configs = sorted(directory.glob("*/*/*/config.yaml"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [ExperimentFolder(config.parent) for config in configs]


def _make_unique(parent: Path, name: str) -> Path:
    stamped = f"{name}_{datetime.datetime.now():%Y-%m-%d_%H-%M-%S}"
    candidates = (name, stamped, *(f"{stamped}_{number}" for number in range(2, 1000)))
    for candidate in candidates:
        try:
            (parent / candidate).mkdir()
            return parent / candidate
        except FileExistsError:
            if _take_over(ExperimentFolder(parent / candidate)):
                return parent / candidate
    raise InputError(f"experiment.name: {name!r} is taken a thousand times in {parent}")


def _take_over(folder: ExperimentFolder) -> bool:
    """Empty the folder of a start that failed; False: it is another run's, or was taken over at the same moment."""
    try:
        folder.failed_start.unlink()
    except OSError:
        return False
    with suppress(FileNotFoundError):
        shutil.rmtree(folder.players)
    return True


@contextmanager
def locked(folder: ExperimentFolder) -> Iterator[None]:
    """Lock the folder while the block runs; `run.lock` names the process.

    A block inside a block of the same thread shares the lock. A killed process leaves the file, but never the lock.
    Raises `InputError` naming the process that holds it.
    """
    holder = (folder.path.resolve(), threading.get_ident())
    if holder in _HOLDERS:
        yield
        return
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
        # For the message that another run gets.
        os.truncate(file, 0)
        os.pwrite(file, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        _HOLDERS.add(holder)
        yield
        folder.lock.unlink(missing_ok=True)
    finally:
        _HOLDERS.discard(holder)
        os.close(file)


def _holder(file: int) -> str:
    try:
        facts = json.loads(os.pread(file, 1000, 0))
        return f" (process {facts['pid']} on {facts['host']})"
    except (ValueError, KeyError, OSError):
        return ""
