"""`rl-pipeline resume`: continue a run in its own folder as if it had never stopped."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from rich.console import Console

from rl_pipeline.config import NO_MACHINE_FILE, Config, config_origin, load_config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.folder import ExperimentFolder, locked
from rl_pipeline.experiment.loggers.sb3_formats import quiet_terminal
from rl_pipeline.plurals import plural
from rl_pipeline.run.imported_run import import_run, is_foreign
from rl_pipeline.run.plan import TrainingPlan
from rl_pipeline.run.result import print_training_report
from rl_pipeline.run.rl_trainer import RLTrainer
from rl_pipeline.run.train import INTERRUPTED

KEPT: Final = ("environment.id", "algorithm.name", "algorithm.architecture", "wrappers", "training.seed")
"""Keys and sections that the state of a run depends on."""
GROUPS_KEPT: Final = ("environment", "algorithm", "wrappers")
"""Groups of configuration files that set these keys."""


def resume(experiment: str, directory: Path, overrides: Sequence[str], *, console: Console, progress: Console) -> int:
    """Continue from the newest state of an experiment. Returns the exit code.

    Args:
        experiment: its folder or name; or a W&B run, `wandb:entity/project/run` or a folder of its files, which is
            imported as an experiment of this machine.
        directory: folder of the experiment folders.
        overrides: changes to its configuration, such as more steps, except in `KEPT`.
        console: prints the report.
        progress: draws the progress.

    Raises:
        InputError: the experiment does not exist, another run is writing it, it has taken all its steps, or a key in
            `KEPT` has changed.
    """
    # Find the folder and its configuration.
    foreign = is_foreign(experiment)
    folder = import_run(experiment, directory, overrides) if foreign else ExperimentFolder.find(experiment, directory)
    _refuse_choices(overrides, folder)
    config = load_config(config_file=folder.config, machine_file=NO_MACHINE_FILE, overrides=overrides)
    # One lock from the choice of the state to the end of the training.
    with locked(folder):
        with quiet_terminal(config.training.verbose):
            point = ResumePoint.of(folder)
        check_unchanged(_former_config(point, folder), config, folder)
        _check_unfinished(point, config, folder)
        plan = TrainingPlan.of(config, point)
        result = RLTrainer(plan, overrides=overrides, console=progress).train()
    if config.training.verbose or result.interrupted:
        print_training_report(result, console)
    return INTERRUPTED if result.interrupted else 0


def check_unchanged(former: Config, config: Config, folder: ExperimentFolder) -> None:
    """Raise `InputError` naming the first key of `KEPT` that differs."""
    # Compare each key, or a whole section.
    for key in KEPT:
        section, _, name = key.partition(".")
        before, now = getattr(former, section), getattr(config, section)
        if name:
            before, now = getattr(before, name), getattr(now, name)
        if before != now:
            raise InputError(
                f"{key}: {folder.path} was trained with {_describe(before)}, found {_describe(now)} "
                f"({config_origin(config, key).source}); a resumed run keeps it. {_new_run(folder)}"
            )


def _refuse_choices(overrides: Sequence[str], folder: ExperimentFolder) -> None:
    """Raise `InputError` for an override that chooses another file of a group in `GROUPS_KEPT`."""
    for override in overrides:
        group, separator, _ = override.lstrip("+").partition("=")
        if separator and group in GROUPS_KEPT:
            raise InputError(f"command line: {override}: a resumed run keeps its {group}. {_new_run(folder)}")


def _former_config(point: ResumePoint, folder: ExperimentFolder) -> Config:
    """Return the configuration that the state was trained with; config.yaml may have been edited since.

    The configuration in a state of another version may be unreadable: then config.yaml counts.
    """
    text = None if point.model is None else point.model.config
    if text is not None:
        with tempfile.TemporaryDirectory() as directory, suppress(InputError):
            file = Path(directory) / folder.config.name
            file.write_text(text, encoding="utf-8")
            return load_config(config_file=file, machine_file=NO_MACHINE_FILE, imports=False)
    return load_config(config_file=folder.config, machine_file=NO_MACHINE_FILE, imports=False)


def _new_run(folder: ExperimentFolder) -> str:
    return f"For a new run from its weights: {folder.initialize_command}"


def _check_unfinished(point: ResumePoint, config: Config, folder: ExperimentFolder) -> None:
    total = config.training.total_timesteps
    if point.metadata().get("status") == "done" and point.timesteps >= total:
        taken = f"{point.timesteps} {plural(point.timesteps, 'step')}"
        raise InputError(
            f"{folder.path} has taken all its {taken}; to train on, give more: "
            f"{folder.resume_command} training.total_timesteps={2 * point.timesteps}"
        )


def _describe(value: object) -> str:
    changed = value.model_dump(exclude_defaults=True) if hasattr(value, "model_dump") else value
    return repr(changed)
