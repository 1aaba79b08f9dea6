"""RLTrainer: from a configuration to an experiment folder with a trained model."""

from __future__ import annotations

import logging
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from rl_pipeline.config import Config, config_origin, render_config, without_secrets
from rl_pipeline.envs.factory import Environments
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import disk_failures, write_text
from rl_pipeline.experiment.checkpoints.checkpointer import saved_states
from rl_pipeline.experiment.checkpoints.model_file import described_spaces
from rl_pipeline.experiment.checkpoints.replay_buffer import load_replay_buffer
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.folder import ExperimentFolder, locked
from rl_pipeline.experiment.loggers.registration import make_loggers
from rl_pipeline.experiment.loggers.run_logger import RunLoggers
from rl_pipeline.experiment.loggers.sb3_formats import log_file, quiet_terminal
from rl_pipeline.experiment.lookup import MODELS
from rl_pipeline.experiment.metadata import describe_run, overwrite_metadata, timestamp, write_metadata
from rl_pipeline.plurals import plural
from rl_pipeline.run.callbacks.evaluation import Evaluated
from rl_pipeline.run.interruption import Interruption, RunInterrupted
from rl_pipeline.run.plan import check_training
from rl_pipeline.run.result import TrainingResult
from rl_pipeline.run.training_run import TrainingRun
from rl_pipeline.tracebacks import describe_failure

logger = logging.getLogger(__name__)


class RLTrainer:
    """Trains an agent as a configuration says.

    The configuration is checked here as far as it can be before a folder is made and a simulator started: every name,
    and whether algorithm, hyperparameters and the model to start from suit the environment's spaces.

    Args:
        config: the whole configuration.
        overrides: what the command line changed, kept in the experiment folder.
        command: the command, kept in the experiment folder; None: that of this process.
        console: where progress is drawn; None: it is logged only.
        resume: what to go on with, an experiment in its own folder or a model in a new one; None: begin.
        callbacks: further callbacks of Stable-Baselines3, see `TrainingRun`.
        evaluated: called after each evaluation during training, with how many there were and what it found; may raise
            `RunInterrupted`.
        interruption: what ends the training; None: signals.

    Raises:
        InputError: the algorithm, a hyperparameter, the architecture, the environment or the model to start from is
            not there or not valid.
    """

    def __init__(
        self,
        config: Config,
        *,
        overrides: Sequence[str] = (),
        command: Sequence[str] | None = None,
        console: Console | None = None,
        resume: ResumePoint | None = None,
        callbacks: Sequence[BaseCallback] = (),
        evaluated: Evaluated | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        self.config = config
        self._resume = resume
        self._evaluated, self._interruption = evaluated, interruption or Interruption()
        checked = check_training(config, resume)
        self._algorithm, self._environment_id = checked.algorithm, checked.environment_id
        self._pretrained = checked.pretrained
        self._overrides = without_secrets(overrides, config)
        self._command = without_secrets(sys.argv if command is None else command, config)
        self._console, self._callbacks = console, callbacks
        self._run: TrainingRun | None = None

    def train(self) -> TrainingResult:
        """Train, evaluate the best model, film it, and leave everything in the experiment folder.

        Ctrl-C, SIGTERM or SIGHUP ends the training with everything saved; the result says so. A second one raises
        `KeyboardInterrupt` at once: what is written already stays. With `training.run_type=debug` the folder is a
        temporary one that is gone afterwards.
        Raises `InputError` when the folder cannot be written, the disk is full, or the algorithm does not suit the
        environment.
        """
        if self.config.training.run_type != "debug":
            return self._train()
        with tempfile.TemporaryDirectory() as directory:
            self.config = unobserved(self.config, Path(directory))
            return self._train()

    def _train(self) -> TrainingResult:
        began = time.monotonic()
        text = render_config(self.config)
        training = self.config.training
        seeds = {"training": training.seed, "evaluation during training": training.eval.seed}
        facts = describe_run(self._command, seeds | {"evaluation": self.config.evaluation.seed})
        facts["wandb_run_id"] = secrets.token_hex(4)
        if self._resume is not None:
            facts |= _history(self._resume)
        resumed = None if self._resume is None else self._resume.folder
        folder = self._new_folder() if resumed is None else resumed
        status = "failed"
        with locked(folder), quiet_terminal(training.verbose), log_file(folder):
            self._describe(folder, text, facts)
            logger.info("experiment folder: %s", folder.path)
            try:
                with disk_failures(folder.path):
                    result = self._learn(folder, text, facts, began)
                status = "interrupted" if result.interrupted else "done"
                facts["timesteps"] = result.timesteps
                return result
            except KeyboardInterrupt:
                status = "interrupted"
                raise
            except Exception as error:
                facts["error"] = describe_failure(error)
                self._say_what_is_saved(folder)
                raise
            finally:
                if self._took_a_step or resumed is not None:
                    self._note_end(folder, facts | {"status": status, "ended": timestamp()})
                else:
                    self._discard(folder)
                self._run = None  # several seeds have a trainer each, and a replay buffer may be large

    def _new_folder(self) -> ExperimentFolder:
        experiment = self.config.experiment
        return ExperimentFolder.create(
            experiment.directory, self._environment_id, self._algorithm.name, experiment.name
        )  # fmt: skip

    def _describe(self, folder: ExperimentFolder, text: str, facts: dict[str, object]) -> None:
        """Have the folder say what is about to be run; of a new one nothing is left when that cannot be written."""
        try:
            folder.complete()  # a power failure may have taken folders of a run that is resumed
            write_text(folder.config, text)
            write_text(folder.overrides, "".join(f"- {override!r}\n" for override in self._overrides) or "[]\n")
            write_metadata(folder.metadata, facts)
        except InputError:
            if self._resume is None or self._resume.folder is None:
                shutil.rmtree(folder.path, ignore_errors=True)
            raise

    @property
    def _took_a_step(self) -> bool:
        return self._run is not None and (self._run.steps_taken > 0 or self._run.saved)

    def _discard(self, folder: ExperimentFolder) -> None:
        """Leave nothing of a new run that took no step but its log, under a name that the next run may have."""
        if self.config.training.run_type == "debug":
            return
        with suppress(OSError):
            logger.info("no step was taken: nothing is kept but %s", folder.failed_start)
            folder.discard()

    def _say_what_is_saved(self, folder: ExperimentFolder) -> None:
        """After a failure: how to go on, by the model at the end or else by the last checkpoint."""
        if not self._took_a_step:
            return
        assert self._run is not None
        command = folder.resume_command if saved_states(folder) else folder.initialize_command
        if self._run.saved:
            learned = getattr(self._run.model, "_n_updates", 0) > 0
            what = "what was learned is saved" if learned else "the run is saved, though nothing was learned yet"
            logger.info("%s; go on with: %s", what, command)
            return
        checkpoints = sorted(folder.checkpoints.glob(MODELS), key=lambda path: path.stat().st_mtime_ns)
        if checkpoints:
            logger.warning(
                "%s was not saved; the last checkpoint is %s; go on with: %s",
                folder.model.name, checkpoints[-1], command,
            )  # fmt: skip

    def _note_end(self, folder: ExperimentFolder, facts: dict[str, object]) -> None:
        """Write how the run ended, on a full disk too; there what ended it is not to be hidden by a second error."""
        try:
            write_metadata(folder.metadata, facts)
        except InputError:
            if facts["status"] == "done":
                raise
            with suppress(OSError):
                overwrite_metadata(folder.metadata, facts)

    def _learn(self, folder: ExperimentFolder, text: str, facts: dict[str, object], began: float) -> TrainingResult:
        loggers = make_loggers(self.config)
        exit_code = 1
        try:
            self._start_loggers(loggers, folder, facts)
            with Environments(self.config, folder.path) as environments:
                run = self._run = TrainingRun(
                    self.config, text, folder, environments, loggers, self._console, self._resume, self._callbacks,
                    self._evaluated,
                )  # fmt: skip
                facts["spaces"] = described_spaces(run.model)
                self._continue_from_pretrained(run.model)
                with self._interruption as interruption:
                    result = self._finished(run, folder, interruption, began)
                exit_code = 130 if result.interrupted else 0
                return result
        finally:
            loggers.finish(exit_code)

    def _start_loggers(self, loggers: RunLoggers, folder: ExperimentFolder, facts: dict[str, Any]) -> None:
        """Start the loggers where a resumed run left them, and keep their states in the metadata."""
        former = facts.get("loggers", {})
        loggers.start(folder, self.config, {"wandb": {"run_id": facts["wandb_run_id"]}, **former})
        if states := loggers.state_dict():
            facts["loggers"] = {**former, **states}
            write_metadata(folder.metadata, facts)

    def _finished(
        self, run: TrainingRun, folder: ExperimentFolder, interruption: Interruption, began: float
    ) -> TrainingResult:
        """Train and judge; an interruption is answered at either by saving what there is."""
        evaluation, video, interrupted = None, None, False
        try:
            try:
                run.learn(interruption.check)
            finally:
                if not interruption.insisted:
                    run.save()
            evaluation = run.evaluate_best(interruption.check)
            video = run.film_best(interruption.check)
        except RunInterrupted:
            interrupted = True
        seconds = time.monotonic() - began
        return TrainingResult(
            folder, run.model.num_timesteps, seconds, interrupted, evaluation, video, run.start, self._environments()
        )

    def _environments(self) -> str:
        origin = config_origin(self.config, "simulation.n_environments")
        return f"{self.config.simulation.n_environments} in parallel ({origin})"

    def _continue_from_pretrained(self, model: BaseAlgorithm) -> None:
        """Load the weights to start from, and the replay buffer beside them if there is one that fits."""
        if self._pretrained is None:
            return
        self._pretrained.load_into(model)
        logger.info("starting from %s", self._pretrained.path)
        buffer = ExperimentFolder(self._pretrained.path.parent).replay_buffer
        if not isinstance(model, OffPolicyAlgorithm) or not buffer.is_file():
            return
        try:
            transitions = load_replay_buffer(model, buffer)
        except InputError as error:
            logger.warning("starting with an empty replay buffer: %s", error)
            return
        # The buffer is filled already: no random actions to warm it up.
        model.learning_starts = 0
        noun = plural(transitions, "transition")
        logger.info("replay buffer with %d %s per environment from %s", transitions, noun, buffer)


def unobserved(config: Config, directory: Path) -> Config:
    """The configuration of a run that nobody looks at afterwards: without videos, in a folder for the moment."""
    environment = config.environment.model_copy(update={"video_wrapper": False, "render_mode": None})
    experiment = config.experiment.model_copy(update={"directory": directory})
    return config.model_copy(update={"environment": environment, "experiment": experiment})


def _history(resume: ResumePoint) -> dict[str, object]:
    """What the metadata of a resumed run keep of before: when it began, on which W&B run, where it was resumed."""
    former = resume.metadata()
    kept: dict[str, object] = {key: former[key] for key in ("started", "wandb_run_id", "loggers") if key in former}
    resumed = [*former.get("resumed", []), {"time": timestamp(), "timesteps": resume.timesteps}]
    return kept | {"resumed": resumed}
