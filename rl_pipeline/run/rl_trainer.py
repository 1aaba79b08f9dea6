"""RLTrainer: from a configuration to an experiment folder with a trained model."""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.config import Config, config_origin, without_secrets
from rl_pipeline.envs.factory import Environments
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import disk_failures, write_text
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.folder import ExperimentFolder, locked
from rl_pipeline.experiment.loggers.sb3_formats import log_file, quiet_terminal
from rl_pipeline.run.context import Evaluated, RunContext
from rl_pipeline.run.interruption import Interruption, RunInterrupted
from rl_pipeline.run.plan import TrainingPlan
from rl_pipeline.run.result import TrainingResult
from rl_pipeline.run.run_metadata import RunMetadata, log_saved_files
from rl_pipeline.run.training_run import TrainingRun

logger = logging.getLogger(__name__)

INTERRUPTED_BY_SIGNAL = 130
FAILED = 1


class RLTrainer:
    """Trains an agent as configured.

    The configuration is checked in the constructor, as far as possible before a folder is made and a simulator started:
    every name, and whether algorithm, hyperparameters and the model to start from suit the environment's spaces.

    Args:
        config: the whole configuration, or a plan made from it.
        overrides: overrides of the command line, kept in the experiment folder.
        command: the command, kept in the experiment folder; None: that of this process.
        console: draws progress; None: it is logged only.
        resume: the run to continue, an experiment in its own folder or a model in a new one; None: a new run. A plan
            brings its own.
        callbacks: further callbacks of Stable-Baselines3, see `RunContext`.
        evaluated: called after each evaluation during training, with the number of evaluations so far and the figures
            of this one; may raise `RunInterrupted`.
        interruption: ends the training; None: signals do.

    Raises:
        InputError: the algorithm, a hyperparameter, the architecture, the environment or the model to start from does
            not exist or is not valid.
    """

    def __init__(
        self,
        config: Config | TrainingPlan,
        *,
        overrides: Sequence[str] = (),
        command: Sequence[str] | None = None,
        console: Console | None = None,
        resume: ResumePoint | None = None,
        callbacks: Sequence[BaseCallback] = (),
        evaluated: Evaluated | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        # Callbacks and opponents of a plan serve one training: `train` takes the plan, and makes another if called
        # again.
        plan = config if isinstance(config, TrainingPlan) else TrainingPlan.of(config, resume)
        self._plan: TrainingPlan | None = plan
        self._resume = plan.resume
        self.config = plan.config
        self._overrides = without_secrets(overrides, self.config)
        self._command = without_secrets(sys.argv if command is None else command, self.config)
        # Progress and evaluations are drawn for a run that is not quiet.
        self._console = console if self.config.training.verbose else None
        self._callbacks = callbacks
        self._evaluated = evaluated
        self._interruption = interruption or Interruption()
        self._run: TrainingRun | None = None

    def train(self) -> TrainingResult:
        """Train, evaluate the best model, film it, and leave everything in the experiment folder.

        Ctrl-C, SIGTERM or SIGHUP ends the training with everything saved; the result says so. A second one raises
        `KeyboardInterrupt` at once: files written by then stay. With `training.run_type=debug` the folder is a
        temporary one that is gone afterwards.
        Raises `InputError` when the folder cannot be written, the disk is full, or the algorithm does not suit the
        environment.
        """
        # A plan serves one training.
        plan = self._plan or TrainingPlan.of(self.config, self._resume)
        self._plan = None
        if plan.config.training.run_type != "debug":
            return self._train(plan)
        # A debug run leaves nothing.
        with tempfile.TemporaryDirectory() as directory:
            return self._train(plan.without_videos(Path(directory)))

    def _train(self, plan: TrainingPlan) -> TrainingResult:
        """Prepare folder, lock and metadata, run the training, and write how it ended."""
        began = time.monotonic()
        metadata = RunMetadata(plan, self._command)
        # A resumed run continues in its own folder.
        resumed = None if plan.resume is None else plan.resume.folder
        folder = resumed or ExperimentFolder.create(
            plan.config.experiment.directory, plan.environment_id, plan.algorithm.name, plan.config.experiment.name
        )
        with locked(folder), quiet_terminal(plan.config.training.verbose), log_file(folder):
            # The folder describes the run before anything can fail.
            self._write_start(plan, folder, metadata)
            logger.info("experiment folder: %s", folder.path)
            try:
                with disk_failures(folder.path):
                    result = self._learn(plan, folder, metadata, began)
                metadata.end(result.timesteps, interrupted=result.interrupted)
                return result
            except KeyboardInterrupt:
                metadata.status = "interrupted"
                raise
            except Exception as error:
                metadata.fail(error)
                if self._run is not None and self._took_a_step:
                    log_saved_files(self._run, folder)
                raise
            finally:
                # A new run without a step leaves its log only, and its name is free again.
                if self._took_a_step or resumed is not None:
                    metadata.write_end(folder)
                else:
                    self._discard(plan, folder)
                self._run = None  # several seeds have a trainer each, and a replay buffer may be large

    def _write_start(self, plan: TrainingPlan, folder: ExperimentFolder, metadata: RunMetadata) -> None:
        """Write configuration and metadata; a new folder is removed when that fails."""
        try:
            folder.complete()  # a power failure may have taken folders of a run that is resumed
            write_text(folder.config, plan.config_text)
            write_text(folder.overrides, "".join(f"- {override!r}\n" for override in self._overrides) or "[]\n")
            metadata.write_start(folder)
        except InputError:
            if plan.resume is None or plan.resume.folder is None:
                shutil.rmtree(folder.path, ignore_errors=True)
            raise

    def _learn(
        self, plan: TrainingPlan, folder: ExperimentFolder, metadata: RunMetadata, began: float
    ) -> TrainingResult:
        """Open loggers and environments, build the run, and train."""
        exit_code = FAILED
        try:
            # Before the environments: W&B sends on the events of TensorBoard from its start.
            metadata.start_loggers(plan, folder)
            with Environments(plan.config, folder.path) as environments:
                run = self._run = TrainingRun(
                    RunContext(
                        plan,
                        folder,
                        environments,
                        self._console,
                        self._callbacks,
                        self._evaluated,
                        self._interruption.check,
                    )
                )
                metadata.describe_spaces(run.model)
                # Weights and replay buffer to start from.
                if plan.pretrained is not None:
                    plan.pretrained.start_from(run.model)
                # Signals are requests from here on: there is something to save.
                with self._interruption:
                    result = self._train_and_evaluate(run, folder, began)
                exit_code = INTERRUPTED_BY_SIGNAL if result.interrupted else 0
                return result
        finally:
            plan.loggers.finish(exit_code)

    def _train_and_evaluate(self, run: TrainingRun, folder: ExperimentFolder, began: float) -> TrainingResult:
        """Train, then evaluate and film the best model; an interruption of either ends the run with it saved."""
        evaluation, video, interrupted = None, None, False
        try:
            # Save after an error too, but not after a second signal.
            try:
                run.learn()
            finally:
                if not self._interruption.insisted:
                    run.save()
            # `save` has written the last weights: the model may get the best ones.
            evaluation = run.evaluate_best()
            video = run.film_best()
        except RunInterrupted:
            interrupted = True
        return TrainingResult(
            folder,
            run.model.num_timesteps,
            time.monotonic() - began,
            interrupted,
            evaluation,
            video,
            run.start,
            self._describe_environments(),
        )

    @property
    def _took_a_step(self) -> bool:
        return self._run is not None and (self._run.steps_taken > 0 or self._run.saved)

    def _discard(self, plan: TrainingPlan, folder: ExperimentFolder) -> None:
        """Remove a new run that took no step, except its log, and free its name for the next run."""
        if plan.config.training.run_type == "debug":
            return
        with suppress(OSError):
            logger.info("no step was taken: nothing is kept but %s", folder.failed_start)
            folder.discard()

    def _describe_environments(self) -> str:
        """Return the number of training environments and the source of that setting."""
        origin = config_origin(self.config, "simulation.n_environments")
        return f"{self.config.simulation.n_environments} in parallel ({origin})"
