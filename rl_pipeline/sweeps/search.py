"""`rl-pipeline sweep`: search for good hyperparameters, or go on with a search."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rich.console import Console

from rl_pipeline.config import Config, render_config
from rl_pipeline.config.layers import Layer
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.evaluation.report import print_rows
from rl_pipeline.experiment.folder import ExperimentFolder, locked
from rl_pipeline.experiment.loggers.progress import counted
from rl_pipeline.plurals import plural
from rl_pipeline.run.rl_trainer import RLTrainer
from rl_pipeline.run.train import INTERRUPTED
from rl_pipeline.sweeps.folder import SWEEPS, Resources, SweepFolder, SweepSettings
from rl_pipeline.sweeps.space import SearchSpace
from rl_pipeline.sweeps.trial import OBJECTIVES

if TYPE_CHECKING:
    from rl_pipeline.sweeps.study import SweepStudy

TRIALS = 20
PRUNERS = ("median", "asha", "none")


class LoadsConfig(Protocol):
    """Loads the configuration that the command line names."""

    def __call__(self, *, sampled: Layer | None = None) -> Config:
        """With what a search has chosen over all else."""


def require_packages() -> None:
    """Raise `InputError` saying what to install when the extra `ray` is not there."""
    try:
        import optuna  # noqa: F401
        import ray  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"a sweep needs Ray Tune and Optuna ({error.name} is not installed): pip install 'rl-pipeline[ray]'"
        ) from error


def new_sweep(load: LoadsConfig, space: Path, name: str | None, settings: SweepSettings) -> SweepFolder:
    """Check everything that a sweep is to try, and make its folder.

    Args:
        load: loads the configuration that all trials share.
        space: the file that says what is varied.
        name: of the sweep; None: that of the experiment.
        settings: how it is searched.

    Raises:
        InputError: a setting, a key or a value of the space is not there or not valid, or the name is taken.
    """
    if settings.objective not in OBJECTIVES:
        raise UnknownNameError("objective", settings.objective, OBJECTIVES, where="--objective")
    if settings.pruner not in PRUNERS:
        raise UnknownNameError("pruner", settings.pruner, PRUNERS, where="--pruner")
    ranges = SearchSpace.read(space)
    base = load()
    if not base.simulation.unity.launch:
        raise InputError("unity.launch: a sweep starts the players of its trials itself; expected true, found false")
    RLTrainer(base)
    for sample in ranges.extremes():
        config = load(sampled=ranges.layer(sample))
        try:
            RLTrainer(config)
        except InputError as error:
            raise InputError(f"{ranges.source}: {error}") from error
    name = base.experiment.name if name is None else name
    if Path(name).name != name:
        raise InputError(f"--name: expected the name of a folder, found {name!r}")
    folder = SweepFolder(base.experiment.directory / SWEEPS / name)
    folder.create(render_config(base), space, settings)
    return folder


def former_sweep(sweep: str, directory: Path, trials: int | None) -> SweepFolder:
    """A sweep to go on with, up to more trials if `trials` says so.

    Raises:
        InputError: there is no such sweep, or it had more trials already.
    """
    folder = SweepFolder.find(sweep, directory)
    settings = folder.settings()
    if trials is not None and trials != settings.trials:
        if trials < settings.trials:
            raise InputError(f"--trials: {folder.path} has {settings.trials}; expected that or more, found {trials}")
        folder.save(replace(settings, trials=trials))
    return folder


def run_sweep(folder: SweepFolder, resources: Resources, *, console: Console, progress: Console) -> int:
    """Run what is left of a sweep, and report what was found. Returns the exit code.

    Args:
        folder: the sweep's.
        resources: where trials run.
        console: where the report goes.
        progress: where progress is drawn.

    Raises:
        InputError: another command runs the sweep, all its trials have ended, or no cluster answers.
    """
    from rl_pipeline.sweeps.execution import run_trials
    from rl_pipeline.sweeps.results import write_results
    from rl_pipeline.sweeps.study import SweepStudy

    settings = folder.settings()
    with locked(ExperimentFolder(folder.path)):
        study = SweepStudy(folder, SearchSpace.read(folder.space), settings)
        if study.ended >= settings.trials:
            raise InputError(
                f"{folder.path} has run all its {settings.trials} {plural(settings.trials, 'trial')}; for more: "
                f"rl-pipeline sweep --resume {shlex.quote(folder.path.name)} --trials {2 * settings.trials}"
            )
        with counted("sweep", settings.trials, plural(settings.trials, "trial"), progress) as show:
            show(study.ended)

            def ended() -> None:
                show(study.ended)
                write_results(study, folder, settings.objective)

            complete = run_trials(study, folder, settings, resources, ended)
    print_sweep_report(study, folder, console, interrupted=not complete)
    return 0 if complete else INTERRUPTED


def print_sweep_report(study: SweepStudy, folder: SweepFolder, console: Console, *, interrupted: bool) -> None:
    """Say what did best, where it is, and how to train it."""
    rows = [("trials", study.counts())]
    if (best := study.best) is not None:
        assert best.value is not None
        settings = study.space.suggest(best)
        rows.append(("best", f"trial {best.number}: {best.value:.4g}"))
        rows.extend(("", f"{key}: {value}") for key, value in settings.items())
        rows.append(("train it", f"rl-pipeline train --config {shlex.quote(str(folder.best))}"))
    rows.extend((name, str(path)) for name, path in (("table", folder.table), ("picture", folder.picture)))
    if interrupted:
        rows.append(("go on with", f"rl-pipeline sweep --resume {shlex.quote(folder.path.name)}"))
    title = "interrupted; everything is saved" if interrupted else "swept"
    print_rows(title, rows, console, "yellow" if interrupted else "green")
