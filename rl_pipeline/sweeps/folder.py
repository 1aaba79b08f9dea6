"""Folder of a sweep: its files, its trials, and the settings with which it is resumed."""

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
"""Folder of all sweeps in the directory of experiments."""


@dataclass(frozen=True)
class SweepSettings:
    """Settings of the search.

    Attributes:
        trials: number of trials in all.
        objective: figure to maximise: `return` or `success_rate`.
        pruner: rule by which trials are ended early: `median`, `asha` or `none`.
        seed: of the sampler; every trial has the training seed of the configuration.
    """

    trials: int
    objective: str
    pruner: str
    seed: int


@dataclass(frozen=True)
class SweepFolder:
    """The folder `<experiments>/sweeps/<name>/` and the files in it; trials are experiment folders below.

    Attributes:
        path: the folder itself.
    """

    path: Path

    @classmethod
    def find(cls, sweep: str, directory: Path) -> SweepFolder:
        """Find a sweep by its folder, or by its name in `directory`.

        Raises:
            InputError: there is no such sweep; the message has the nearest name.
        """
        for path in (Path(sweep), directory / SWEEPS / sweep):
            if (folder := cls(path)).settings_file.is_file():
                return folder
        names = [path.parent.name for path in (directory / SWEEPS).glob("*/sweep.yaml")]
        if not names:
            raise InputError(f"--resume: no sweep {sweep!r} in {directory / SWEEPS}: there is none at all yet")
        raise UnknownNameError("sweep", sweep, names, where="--resume")

    @property
    def settings_file(self) -> Path:
        """File of the settings. It is written last: once it exists, the sweep can be resumed."""
        return self.path / "sweep.yaml"

    @property
    def config(self) -> Path:
        """File of the whole configuration that all trials share."""
        return self.path / "base.yaml"

    @property
    def space(self) -> Path:
        """Copy of the file of the search space."""
        return self.path / "space.yaml"

    @property
    def study(self) -> Path:
        """SQLite file of Optuna's study: each trial with its settings and evaluations."""
        return self.path / "study.db"

    @property
    def table(self) -> Path:
        """CSV file with a line for each trial."""
        return self.path / "trials.csv"

    @property
    def picture(self) -> Path:
        """Chart of the trials."""
        return self.path / "sweep.png"

    @property
    def best(self) -> Path:
        """File of the configuration of the best trial."""
        return self.path / "best.yaml"

    def create(self, config: str, space: Path, settings: SweepSettings) -> None:
        """Make the folder. Raises `InputError` when it exists or cannot be written."""
        # mkdir without exist_ok claims the name, also against a sweep started at the same moment.
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
        # The settings come last, see `settings_file`.
        write_text(self.config, config)
        write_text(self.space, space.read_text(encoding="utf-8"))
        self.save(settings)

    def save(self, settings: SweepSettings) -> None:
        """Write the settings."""
        write_text(self.settings_file, yaml.safe_dump(asdict(settings), sort_keys=False))

    def settings(self) -> SweepSettings:
        """Read the settings. Raises `InputError` when they cannot be read."""
        try:
            return SweepSettings(**read_yaml(self.settings_file))
        except TypeError as error:
            raise InputError(f"{self.settings_file}: cannot be read: {error}") from error

    def trial(self, number: int) -> ExperimentFolder | None:
        """Return the experiment folder of a trial; None when it has not begun."""
        found = self.path.glob(f"*/*/{trial_name(number)}/config.yaml")
        return next((ExperimentFolder(path.parent) for path in found), None)

    def clear(self, number: int) -> None:
        """Remove the folder of a trial that was killed before its configuration was written."""
        if self.trial(number) is None:
            for path in self.path.glob(f"*/*/{trial_name(number)}"):
                shutil.rmtree(path)


def trial_name(number: int) -> str:
    """Return the name of a trial's experiment."""
    return f"trial_{number:03d}"
