"""Trainings of a runner: any registered algorithm, by `RLTrainer`."""

from __future__ import annotations

import datetime

from gymnasium import spaces
from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.folder import ExperimentFolder, environment_folder, locked
from rl_pipeline.plurals import plural
from rl_pipeline.rl_games.callbacks import ObserverCallback, RunFolder, ScoreToWin
from rl_pipeline.rl_games.job import Job
from rl_pipeline.rl_games.observers import AlgoObserver, MultiObserver
from rl_pipeline.rl_games.registries import OBSERVERS
from rl_pipeline.rl_games.runner_checkpoints import find_checkpoint
from rl_pipeline.run.result import TrainingResult, print_training_report
from rl_pipeline.run.resuming import check_unchanged
from rl_pipeline.run.rl_trainer import RLTrainer


class Agent:
    """A training by a runner's file.

    Args:
        job: the file and the settings of the command line.
        algorithm: name of a registered algorithm; None: the job's name.
        actions: required kind of action space; None: any that the algorithm takes.

    Attributes:
        config: configuration of this project.
        run: settings of the runner itself.

    Raises:
        InputError: the configuration cannot be used.
    """

    def __init__(self, job: Job, algorithm: str | None = None, actions: type[spaces.Space[object]] | None = None):
        self.job = job
        self.config, self.run = job.settings(algorithm)
        if actions is not None:
            _check_actions(f"{job.source}: params.algo.name: {job.name}", self.config, actions)
        if job.sigma is not None:
            _check_actions("--sigma", self.config, spaces.Box)
        self._resume: ResumePoint | None = None

    def restore(self, checkpoint: str) -> None:
        """Continue from a checkpoint: weights, optimizer, normalizer, epoch and frame.

        Args:
            checkpoint: the folder of a run or its last model, which is resumed exactly, in its own folder; or any other
                model, which a new run starts from.

        Raises:
            InputError: there is no such checkpoint, it does not fit, or it has taken all steps.
        """
        if self.job.sigma is not None:
            raise InputError("--sigma: the deviation of a checkpoint is learned; with --train, leave --checkpoint out")

        # A run keeps the folder and the name that it was started with.
        found = find_checkpoint(checkpoint, self.config.experiment.directory)
        if isinstance(found, ExperimentFolder):
            former = load_config(config_file=found.config, machine_file=NO_MACHINE_FILE)
            check_unchanged(former, self.config, found)
            self.config = self.config.model_copy(update={"experiment": former.experiment})
            with locked(found):
                self._resume = ResumePoint.of(found)
        else:
            self._resume = ResumePoint.of_model(found)

        total = self.config.training.total_timesteps
        if self._resume.timesteps >= total:
            raise InputError(
                f"--checkpoint: {checkpoint} has taken {self._resume.timesteps} "
                f"{plural(self._resume.timesteps, 'step')}, and {self.job.source} ends the "
                f"run at {total}; raise max_epochs, max_frames or training.total_timesteps"
            )

    def train(self) -> TrainingResult:
        """Train to the end, with everything in the experiment folder, and print a report."""
        if self._resume is None or self._resume.folder is None:
            self.config = self._named()

        # The observer first: its figures come before the end that score_to_win may bring.
        observer = self._observer()
        observer.before_init(self.job.name, self.config.model_dump(), self.config.experiment.name)
        callbacks: list[BaseCallback] = [ObserverCallback(observer, self.run.frames_per_epoch)]
        if self.config.training.run_type != "debug":
            callbacks.append(RunFolder(self.run.train_dir, self.run.name))
        if self.run.score_to_win is not None:
            not_before = self.run.save_best_after * self.run.frames_per_epoch
            callbacks.append(ScoreToWin(self.run.score_to_win, not_before))

        trainer = RLTrainer(self.config, console=self.job.progress, resume=self._resume, callbacks=callbacks)
        result = trainer.train()
        print_training_report(result, self.job.console)
        path = self.run.train_dir / result.folder.path.name
        if path.is_dir():
            self.job.console.print(f"\nas rl_games has it: {path}", highlight=False, soft_wrap=True)
        return result

    def _named(self) -> Config:
        """Return the configuration with the name that rl_games gives to runs: environment, algorithm, time."""
        # The time makes the name unique.
        environment = environment_folder(self.config.environment.id)
        stamp = f"{datetime.datetime.now():%Y-%m-%d_%H-%M-%S}"
        name = self.run.full_name or f"{environment}_{self.job.name}_{stamp}"
        experiment = self.config.experiment.model_copy(update={"name": name})
        return self.config.model_copy(update={"experiment": experiment})

    def _observer(self) -> AlgoObserver:
        # The observer of the file and that of the Runner both apply; the default one only without them.
        named = [] if self.run.observer is None else [OBSERVERS.create(self.run.observer)]
        given = [] if self.job.observer is None else [self.job.observer]
        return MultiObserver([*named, *given] or [OBSERVERS.create("default")])


def make_continuous_a2c(job: Job) -> Agent:
    """Make the agent of rl_games' `a2c_continuous`, which is PPO."""
    return Agent(job, "ppo", spaces.Box)


def make_discrete_a2c(job: Job) -> Agent:
    """Make the agent of rl_games' `a2c_discrete`, which is PPO."""
    return Agent(job, "ppo", spaces.Discrete)


def _check_actions(where: str, config: Config, actions: type[spaces.Space[object]]) -> None:
    _, found = resolve_spaces(config)
    if not isinstance(found, actions):
        raise InputError(f"{where}: expected {actions.__name__} actions, but {config.environment.id} has {found}")
