"""The plan of a training: a configuration checked and resolved before a folder is made or a simulator started."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.algorithms.build import build, check
from rl_pipeline.algorithms.registration import AlgorithmEntry
from rl_pipeline.algorithms.update_size import check_update_size
from rl_pipeline.config import Config, InvalidConfigError, activate, located, render_config
from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.envs.registration import check_environment_id
from rl_pipeline.errors import InputError, collected, raise_together
from rl_pipeline.evaluation.stub_vec_env import build_for_spaces
from rl_pipeline.evaluation.trained_opponent import evaluation_opponent
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.loggers.registration import make_loggers
from rl_pipeline.experiment.loggers.run_logger import RunLoggers
from rl_pipeline.run.callbacks.configured import ConfiguredCallbacks
from rl_pipeline.run.pretrained import PretrainedModel
from rl_pipeline.wrappers.wrapping import wrap_environments


@dataclass(frozen=True)
class TrainingPlan:
    """A checked configuration and everything resolved from it, for one training.

    Attributes:
        config: the whole configuration.
        algorithm: entry of the algorithm.
        environment_id: full id of the environment.
        resume: the run to continue; None: a new one.
        pretrained: the model to start from, if any.
        callbacks: the callbacks that the configuration asks for.
        loggers: trackers of the run, not started yet.
    """

    config: Config
    algorithm: AlgorithmEntry
    environment_id: str
    resume: ResumePoint | None
    pretrained: PretrainedModel | None
    callbacks: ConfiguredCallbacks
    loggers: RunLoggers

    @classmethod
    def of(cls, config: Config, resume: ResumePoint | None = None) -> TrainingPlan:
        """Resolve names, hyperparameters and files, and check that they suit the environment's spaces.

        Args:
            config: the whole configuration.
            resume: the run to continue; None: a new one.

        Raises:
            InputError: a line for each problem, with the file that set the key.
        """
        # Name the file or override behind each problem.
        try:
            return _resolve(config, resume)
        except InputError as error:
            located(error, config)
            raise

    @property
    def start(self) -> int:
        """Environment steps taken before, summed over the environments."""
        return 0 if self.resume is None else self.resume.timesteps

    @cached_property
    def config_text(self) -> str:
        """The configuration as YAML, kept in the folder and inside each model."""
        return render_config(self.config)

    def build_model(self, venv: VecEnv) -> BaseAlgorithm:
        """Build the model for the training environments, inside the wrappers of the configuration.

        The check of the plan went through the same function, `algorithms.build.build`, with a stub of the environments.
        """
        return build(self.config, wrap_environments(self.config, venv, training=True))

    def without_videos(self, directory: Path) -> TrainingPlan:
        """Return the plan of the same training without videos, in folders under `directory`."""
        return replace(self, config=without_videos(self.config, directory))


def without_videos(config: Config, directory: Path) -> Config:
    """Return the configuration of the same training without videos, in folders under `directory`."""
    environment = config.environment.model_copy(update={"video_wrapper": False, "render_mode": None})
    experiment = config.experiment.model_copy(update={"directory": directory})
    return config.model_copy(update={"environment": environment, "experiment": experiment})


def with_algorithm_problems(error: InvalidConfigError) -> InputError:
    """Return the error of a configuration that the schema refuses, extended by the problems of its algorithm."""
    kept = {key: error.settings[key] for key in ("algorithm", "modules") if key in error.settings}
    # Only the algorithm can be checked, and only if its section is valid.
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


def _resolve(config: Config, resume: ResumePoint | None) -> TrainingPlan:
    problems: list[InputError] = []
    # Resolve the parts that do not depend on each other, and report all their problems together.
    with collected(problems):
        algorithm = check(config)
        check_update_size(config, algorithm.load())
    with collected(problems):
        environment_id = check_environment_id(config.environment.id)
        observations, actions = resolve_spaces(config)
    with collected(problems):
        # A run that is resumed from its state needs no other model.
        restored = resume is not None and resume.states
        pretrained = None if restored else PretrainedModel.of(config)
    with collected(problems):
        callbacks = ConfiguredCallbacks.of(config)
    with collected(problems):
        loggers = make_loggers(config)
    raise_together(problems)
    # Check on the environment's spaces: wrappers and networks, then the models that are loaded later. The model of the
    # check is small and on the CPU, and dropped: plans of several seeds must not hold a replay buffer each.
    model = build_for_spaces(config, observations, actions)
    # The user's callbacks are left out: they see a model only in `learn`.
    callbacks.check(model)
    if pretrained is not None:
        pretrained.load_into(model)
    evaluation_opponent(config)
    if resume is not None and resume.model is not None:
        resume.model.load_into(model)
    return TrainingPlan(config, algorithm, environment_id, resume, pretrained, callbacks, loggers)
