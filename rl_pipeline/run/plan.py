"""Checks before a training: everything that can be known before a folder is made and a simulator is started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gymnasium import spaces
from pydantic import ValidationError
from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.algorithms.build import check
from rl_pipeline.algorithms.registration import AlgorithmEntry
from rl_pipeline.algorithms.update_size import check_update_size
from rl_pipeline.config import Config, InvalidConfigError, activate, located
from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.envs.registration import check_environment_id
from rl_pipeline.errors import InputError, collected, raise_together
from rl_pipeline.evaluation.stub_vec_env import build_for_spaces
from rl_pipeline.evaluation.trained_opponent import evaluation_opponent
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.loggers.registration import make_loggers
from rl_pipeline.experiment.lookup import find_model
from rl_pipeline.run.callbacks.network_reset import check_resets
from rl_pipeline.run.callbacks.self_play import SelfPlay
from rl_pipeline.run.callbacks.user import named_callbacks


@dataclass(frozen=True)
class Preflight:
    """A configuration that can be trained.

    Attributes:
        algorithm: entry of the algorithm.
        environment_id: full id of the environment.
        pretrained: the model to start from, if any.
        model: the model on spaces alone, on the CPU.
    """

    algorithm: AlgorithmEntry
    environment_id: str
    pretrained: ModelFile | None
    model: BaseAlgorithm


def check_training(config: Config, resume: ResumePoint | None = None) -> Preflight:
    """Check names, hyperparameters, and whether algorithm, wrappers and models suit the environment's spaces.

    Args:
        config: the whole configuration.
        resume: the run to go on with; None: a new one.

    Raises:
        InputError: a line for each problem, with the file that set the key.
    """
    try:
        return _checked(config, resume)
    except InputError as error:
        located(error, config)
        raise


def with_algorithm_problems(error: InvalidConfigError) -> InputError:
    """The error of a configuration that the schema refuses, with what is wrong with its algorithm besides."""
    kept = {key: error.settings[key] for key in ("algorithm", "modules") if key in error.settings}
    try:
        config = Config.model_validate(kept)
        activate(config)
    except (ValidationError, InputError):
        return error  # which says so already, or cannot be known
    config._origins = error.origins
    try:
        check(config)
    except InputError as further:
        return InputError(f"{error}\n{located(further, config)}")
    return error


def _checked(config: Config, resume: ResumePoint | None) -> Preflight:
    # Independent of each other, so that all their problems are reported together.
    problems: list[InputError] = []
    with collected(problems):
        algorithm = check(config)
        check_update_size(config, algorithm.load())
    with collected(problems):
        environment_id = check_environment_id(config.environment.id)
        observations, actions = resolve_spaces(config)
    with collected(problems):
        pretrained = _pretrained(config, resume)
    with collected(problems):
        named_callbacks(config)
    with collected(problems):
        make_loggers(config)
    raise_together(problems)
    # On what the environment observes.
    model = _suited_model(config, observations, actions)
    if pretrained is not None:
        pretrained.load_into(model)
    if (self_play := SelfPlay.of(config)) is not None:
        self_play.follow(model)
    evaluation_opponent(config)
    if resume is not None and resume.model is not None:
        resume.model.load_into(model)
    return Preflight(algorithm, environment_id, pretrained, model)


def _suited_model(config: Config, observations: spaces.Space[Any], actions: spaces.Space[Any]) -> BaseAlgorithm:
    model = build_for_spaces(config, observations, actions)
    check_resets(model, config.training.resetting_interval)
    return model


def _pretrained(config: Config, resume: ResumePoint | None) -> ModelFile | None:
    """The model to start from; a run that is resumed from its states needs none."""
    training = config.training
    if training.pretrained_model is None or (resume is not None and resume.states):
        return None
    where = "training.pretrained_model"
    path = find_model(str(training.pretrained_model), config.experiment.directory, where, training.load_step)
    return ModelFile.open(path)
