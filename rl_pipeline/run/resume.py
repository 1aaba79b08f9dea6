"""`rl-pipeline resume`: go on with a run, in its own folder, as if it had never stopped."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lock import locked
from rl_pipeline.experiment.logs import quiet_terminal
from rl_pipeline.experiment.resume_point import ResumePoint
from rl_pipeline.plurals import plural
from rl_pipeline.run.adoption import adopt, is_elsewhere
from rl_pipeline.run.report import continue_command, print_training_report
from rl_pipeline.run.rl_trainer import RLTrainer
from rl_pipeline.run.train import INTERRUPTED


def resume(experiment: str, directory: Path, overrides: Sequence[str], *, console: Console, progress: Console) -> int:
    """Go on from the newest state of an experiment. Returns the exit code.

    Args:
        experiment: its folder or name; or a run on Weights & Biases, `wandb:entity/project/run` or a folder of its
            files, which becomes an experiment of this machine.
        directory: where the experiment folders are.
        overrides: put over its configuration, such as more steps; what the state depends on must stay.
        console: where the report goes.
        progress: where progress is drawn.

    Raises:
        InputError: there is no such experiment, another run is writing it, it has taken all its steps, or the
            configuration has changed in what its state depends on.
    """
    elsewhere = is_elsewhere(experiment)
    folder = adopt(experiment, directory, overrides) if elsewhere else ExperimentFolder.find(experiment, directory)
    former = load_config(config_file=folder.config, machine_file=NO_MACHINE_FILE, imports=False)
    config = load_config(config_file=folder.config, machine_file=NO_MACHINE_FILE, overrides=overrides)
    check_unchanged(former, config, folder)
    with locked(folder), quiet_terminal(config.training.verbose):
        point = ResumePoint.of(folder)
    _check_unfinished(point, config, folder)
    result = RLTrainer(config, overrides=overrides, console=progress, resume=point).train()
    if config.training.verbose or result.interrupted:
        print_training_report(result, console)
    return INTERRUPTED if result.interrupted else 0


def check_unchanged(former: Config, config: Config, folder: ExperimentFolder) -> None:
    """Raise `InputError` naming the first key that differs among those that a resumed run must keep."""
    for key in ("environment.id", "algorithm.name", "algorithm.architecture", "wrappers", "training.seed"):
        section, _, name = key.partition(".")
        before, now = getattr(former, section), getattr(config, section)
        if name:
            before, now = getattr(before, name), getattr(now, name)
        if before != now:
            raise InputError(
                f"{key}: {folder.path} was trained with {_shown(before)}, found {_shown(now)}; a resumed run keeps it. "
                f"For a new run from its weights: rl-pipeline train --initialize-from {shlex.quote(str(folder.path))}"
            )


def _check_unfinished(point: ResumePoint, config: Config, folder: ExperimentFolder) -> None:
    total = config.training.total_timesteps
    if point.metadata().get("status") == "done" and point.timesteps >= total:
        taken = f"{point.timesteps} {plural(point.timesteps, 'step')}"
        raise InputError(
            f"{folder.path} has taken all its {taken}; to train on, give more: "
            f"{continue_command(folder.path)} training.total_timesteps={2 * point.timesteps}"
        )


def _shown(value: object) -> str:
    changed = value.model_dump(exclude_defaults=True) if hasattr(value, "model_dump") else value
    return repr(changed)
