"""`rl-pipeline sweep`: create a sweep or reopen one, run its trials, and report the best."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

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
from rl_pipeline.sweeps.folder import SWEEPS, SweepFolder, SweepSettings
from rl_pipeline.sweeps.space import SearchSpace
from rl_pipeline.sweeps.trial import OBJECTIVES, TrialResources

if TYPE_CHECKING:
    from rl_pipeline.sweeps.study import SweepStudy

DEFAULT_TRIALS: Final = 20
PRUNERS: Final = ("median", "asha", "none")


class LoadsConfig(Protocol):
    """Function that loads the configuration of the command line."""

    def __call__(self, *, sampled: Layer | None = None) -> Config:
        """Return the configuration with the settings of a trial over all other layers."""


def require_packages() -> None:
    """Raise `InputError` with the command to install the extra `ray`, if it is missing."""
    try:
        import optuna  # noqa: F401
        import ray  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"a sweep needs Ray Tune and Optuna ({error.name} is not installed): pip install 'rl-pipeline[ray]'"
        ) from error


def create_sweep(load: LoadsConfig, space: Path, name: str | None, settings: SweepSettings) -> SweepFolder:
    """Check everything that a sweep will try, and make its folder.

    Args:
        load: loads the configuration that all trials share.
        space: file of the search space.
        name: of the sweep; None: that of the experiment.
        settings: of the search.

    Raises:
        InputError: a setting, a key or a value of the space does not exist or is not valid, or the name is taken.
    """
    # Settings of the search.
    if settings.objective not in OBJECTIVES:
        raise UnknownNameError("objective", settings.objective, OBJECTIVES, where="--objective")
    if settings.pruner not in PRUNERS:
        raise UnknownNameError("pruner", settings.pruner, PRUNERS, where="--pruner")

    # The shared configuration, and each extreme of the space put into it.
    search_space = SearchSpace.read(space)
    base = load()
    if not base.simulation.unity.launch:
        raise InputError("unity.launch: a sweep starts the players of its trials itself; expected true, found false")
    RLTrainer(base)
    for sample in search_space.extremes():
        config = load(sampled=search_space.layer(sample))
        try:
            RLTrainer(config)
        except InputError as error:
            raise InputError(f"{search_space.source}: {error}") from error

    # The folder.
    name = base.experiment.name if name is None else name
    if Path(name).name != name:
        raise InputError(f"--name: expected the name of a folder, found {name!r}")
    folder = SweepFolder(base.experiment.directory / SWEEPS / name)
    folder.create(render_config(base), space, settings)
    return folder


def reopen_sweep(sweep: str, directory: Path, trials: int | None) -> SweepFolder:
    """Find a sweep to resume, and raise its number of trials if `trials` is given.

    Raises:
        InputError: there is no such sweep, or it has more trials already.
    """
    folder = SweepFolder.find(sweep, directory)
    settings = folder.settings()
    if trials is not None and trials != settings.trials:
        if trials < settings.trials:
            raise InputError(f"--trials: {folder.path} has {settings.trials}; expected that or more, found {trials}")
        folder.save(replace(settings, trials=trials))
    return folder


def run_sweep(folder: SweepFolder, resources: TrialResources, *, console: Console, progress: Console) -> int:
    """Run the trials of a sweep that have not ended, and report the best. Returns the exit code.

    Args:
        folder: of the sweep.
        resources: of each trial.
        console: where the report goes.
        progress: where progress is drawn.

    Raises:
        InputError: another command runs the sweep, all its trials have ended, or no cluster answers.
    """
    # Ray and Optuna are an extra, and take seconds to import.
    from rl_pipeline.sweeps.execution import run_trials
    from rl_pipeline.sweeps.results import write_results
    from rl_pipeline.sweeps.study import SweepStudy

    settings = folder.settings()
    with locked(ExperimentFolder(folder.path)):
        # Open the study; trials that were under way when a command was killed are unfinished in it.
        study = SweepStudy(folder, SearchSpace.read(folder.space), settings)
        if study.ended >= settings.trials:
            raise InputError(
                f"{folder.path} has run all its {settings.trials} {plural(settings.trials, 'trial')}; for more: "
                f"rl-pipeline sweep --resume {shlex.quote(folder.path.name)} --trials {2 * settings.trials}"
            )
        # Run, with the results so far in files after each trial.
        with counted("sweep", settings.trials, plural(settings.trials, "trial"), progress) as show:
            show(study.ended)

            def on_trial_end() -> None:
                show(study.ended)
                write_results(study, folder, settings.objective)

            complete = run_trials(study, folder, settings, resources, on_trial_end)
    print_sweep_report(study, folder, console, interrupted=not complete)
    return 0 if complete else INTERRUPTED


def print_sweep_report(study: SweepStudy, folder: SweepFolder, console: Console, *, interrupted: bool) -> None:
    """Print the best trial with its settings, the files, and the command that trains it or resumes the sweep."""
    rows = [("trials", study.counts())]
    # The best trial.
    if (best := study.best) is not None:
        assert best.value is not None
        settings = study.space.suggest(best)
        rows.append(("best", f"trial {best.number}: {best.value:.4g}"))
        rows.extend(("", f"{key}: {value}") for key, value in settings.items())
        rows.append(("train it", f"rl-pipeline train --config {shlex.quote(str(folder.best))}"))
    # Files and further commands.
    rows.extend((name, str(path)) for name, path in (("table", folder.table), ("picture", folder.picture)))
    if interrupted:
        rows.append(("go on with", f"rl-pipeline sweep --resume {shlex.quote(folder.path.name)}"))
    title = "interrupted; everything is saved" if interrupted else "swept"
    print_rows(title, rows, console, "yellow" if interrupted else "green")
