"""Import of a W&B run as a local experiment folder, so that it can be resumed here."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from rl_pipeline.algorithms.registration import find_algorithm
from rl_pipeline.config import NO_MACHINE_FILE, render_config
from rl_pipeline.envs.registration import check_environment_id
from rl_pipeline.evaluation.trust import CONSENT, Use, config_of_model
from rl_pipeline.experiment.atomic_files import write_text
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.checkpoints.run_state import read_states
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.wandb_files import BESIDE_STATE, SCHEME, STATE, download_state, without_state


def is_foreign(experiment: str) -> bool:
    """Return True for a run on W&B, or a folder of files downloaded from one."""
    if experiment.startswith(SCHEME):
        return True
    return any(Path(experiment).glob("*.zip")) and not ExperimentFolder(Path(experiment)).overrides.is_file()


def import_run(experiment: str, directory: Path, overrides: Sequence[str] = ()) -> ExperimentFolder:
    """Make an experiment folder under `directory` with the state of a foreign run.

    Args:
        experiment: `wandb:entity/project/run`, or a folder of its files.
        directory: folder of the experiment folders.
        overrides: overrides of the command line; those that allow the run to execute code on this machine are kept.

    Raises:
        InputError: the run does not exist, it has no state, the state is damaged or of a newer version, or the folder
            cannot be written.
    """
    # Get the state, and with it the model and its configuration.
    source = download_state(experiment, directory, "resume") if experiment.startswith(SCHEME) else Path(experiment)
    if not (source / STATE).is_file():
        raise without_state(experiment, "resume")
    learner = read_states(source / STATE)["learner"]
    file = ModelFile.read(learner["model"].tobytes(), f"the model in {source / STATE}")
    # Check the configuration before a folder is made: code that it names needs the user's consent.
    consent = [override for override in overrides if override.startswith(CONSENT)]
    config = config_of_model(file, consent, NO_MACHINE_FILE, use=Use.TRAINING)
    environment, algorithm = check_environment_id(config.environment.id), find_algorithm(config.algorithm.name)
    # Put the files where a local run has them.
    folder = ExperimentFolder.create(directory, environment, algorithm.name, config.experiment.name)
    shutil.copyfile(source / STATE, folder.states / f"state_{learner['counters']['num_timesteps']}_steps.zip")
    for name in BESIDE_STATE:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder.path / name)
    write_text(folder.config, render_config(config))
    return folder
