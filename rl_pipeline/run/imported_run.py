"""A run whose files come from Weights & Biases, made an experiment of this machine, so that it can go on here."""

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


def is_elsewhere(experiment: str) -> bool:
    """Whether it is a run on Weights & Biases, or a folder of files that were downloaded from one."""
    if experiment.startswith(SCHEME):
        return True
    return any(Path(experiment).glob("*.zip")) and not ExperimentFolder(Path(experiment)).overrides.is_file()


def adopt(experiment: str, directory: Path, overrides: Sequence[str] = ()) -> ExperimentFolder:
    """A new experiment folder under `directory` with the state of a run that is elsewhere.

    Args:
        experiment: `wandb:entity/project/run`, or a folder of its files.
        directory: where the experiment folders are.
        overrides: of the command line; of them, what the run may have run on this machine is the experiment's from now.

    Raises:
        InputError: there is no such run, it has no state, the state is damaged or of a newer version, or the folder
            cannot be written.
    """
    source = download_state(experiment, directory, "resume") if experiment.startswith(SCHEME) else Path(experiment)
    if not (source / STATE).is_file():
        raise without_state(experiment, "resume")
    learner = read_states(source / STATE)["learner"]
    file = ModelFile.read(learner["model"].tobytes(), f"the model in {source / STATE}")
    consent = [override for override in overrides if override.startswith(CONSENT)]
    config = config_of_model(file, consent, NO_MACHINE_FILE, use=Use.TRAINING)
    environment, algorithm = check_environment_id(config.environment.id), find_algorithm(config.algorithm.name)
    folder = ExperimentFolder.create(directory, environment, algorithm.name, config.experiment.name)
    shutil.copyfile(source / STATE, folder.states / f"state_{learner['counters']['num_timesteps']}_steps.zip")
    for name in BESIDE_STATE:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder.path / name)
    write_text(folder.config, render_config(config))
    return folder
