"""The folder of a sweep, and the settings that it is resumed with."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import yaml

from rl_pipeline.config.composition import read_yaml
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.atomic_files import make_folder, sync_folder, write_text
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.paths import obstacle

SWEEPS: Final = "sweeps"


@dataclass(frozen=True)
class SweepSettings:
    """How a sweep searches.

    Attributes:
        trials: how many there are in the end.
        objective: what counts, the larger the better: `return` or `success_rate`.
        pruner: which trials are ended early: `median`, `asha` or `none`.
        seed: of what is drawn at random; every trial has the training seed of the configuration.
    """

    trials: int
    objective: str
    pruner: str
    seed: int


@dataclass(frozen=True)
class SweepFolder:
    """`<experiments>/sweeps/<name>/` and the names in it; trials are experiment folders below.

    Attributes:
        path: the folder itself.
    """

    path: Path

    @classmethod
    def find(cls, sweep: str, directory: Path) -> SweepFolder:
        """A sweep by its folder, or by its name in `directory`. Raises `UnknownNameError` naming those there are."""
        for path in (Path(sweep), directory / SWEEPS / sweep):
            if (folder := cls(path)).settings_file.is_file():
                return folder
        names = [path.parent.name for path in (directory / SWEEPS).glob("*/sweep.yaml")]
        if not names:
            raise InputError(f"--resume: no sweep {sweep!r} in {directory / SWEEPS}: there is none at all yet")
        raise UnknownNameError("sweep", sweep, names, where="--resume")

    @property
    def settings_file(self) -> Path:
        """The settings; with it, the sweep can be resumed."""
        return self.path / "sweep.yaml"

    @property
    def config(self) -> Path:
        """The whole configuration that all trials share."""
        return self.path / "base.yaml"

    @property
    def space(self) -> Path:
        """A copy of the file that says what is varied."""
        return self.path / "space.yaml"

    @property
    def study(self) -> Path:
        """Optuna's study: each trial, its values and its evaluations."""
        return self.path / "study.db"

    @property
    def table(self) -> Path:
        """A line a trial."""
        return self.path / "trials.csv"

    @property
    def picture(self) -> Path:
        """What was found, drawn."""
        return self.path / "sweep.png"

    @property
    def best(self) -> Path:
        """The configuration of the best trial."""
        return self.path / "best.yaml"

    def create(self, config: str, space: Path, settings: SweepSettings) -> None:
        """Make the folder. Raises `InputError` when it is there or cannot be written."""
        try:
            make_folder(self.path.parent)
            self.path.mkdir()
            sync_folder(self.path.parent)
        except OSError as error:
            if not self.path.exists():
                raise InputError(f"cannot write {self.path}: {obstacle(self.path, error)}") from error
            raise InputError(
                f"{self.path} is there already; go on with it: "
                f"rl-pipeline sweep --resume {shlex.quote(self.path.name)}, or give another --name"
            ) from None
        write_text(self.config, config)
        write_text(self.space, space.read_text(encoding="utf-8"))
        self.save(settings)

    def save(self, settings: SweepSettings) -> None:
        """Write the settings, last of all at the beginning: where they are, everything is."""
        write_text(self.settings_file, yaml.safe_dump(asdict(settings), sort_keys=False))

    def settings(self) -> SweepSettings:
        """The settings. Raises `InputError` when they cannot be read."""
        try:
            return SweepSettings(**read_yaml(self.settings_file))
        except TypeError as error:
            raise InputError(f"{self.settings_file}: cannot be read: {error}") from error

    def trial(self, number: int) -> ExperimentFolder | None:
        """The experiment folder of a trial; None when it has not begun."""
        found = self.path.glob(f"*/*/{trial_name(number)}/config.yaml")
        return next((ExperimentFolder(path.parent) for path in found), None)

    def clear(self, number: int) -> None:
        """Remove what is left of a trial that was killed before it began."""
        if self.trial(number) is None:
            for path in self.path.glob(f"*/*/{trial_name(number)}"):
                shutil.rmtree(path)


def trial_name(number: int) -> str:
    """The name of a trial's experiment."""
    return f"trial_{number:03d}"


@dataclass(frozen=True)
class Resources:
    """Where trials run.

    Attributes:
        jobs: trials at a time; None: as many as a cluster has room for, on one machine one for every two cores.
        cpus: processor cores of a trial.
        gpus: GPUs of a trial; a fraction shares one.
        address: of a Ray cluster; None: this machine.
    """

    jobs: int | None = None
    cpus: int = 1
    gpus: float = 0.0
    address: str | None = None
