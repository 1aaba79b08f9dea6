"""The metadata of a run while it goes on: written at its start, completed at its end."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress

from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.checkpointer import saved_states
from rl_pipeline.experiment.checkpoints.model_file import described_spaces
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import MODELS
from rl_pipeline.experiment.metadata import describe_run, overwrite_metadata, timestamp, write_metadata
from rl_pipeline.run.plan import TrainingPlan
from rl_pipeline.run.training_run import TrainingRun
from rl_pipeline.tracebacks import describe_failure

logger = logging.getLogger(__name__)


class RunMetadata:
    """Facts about one run, kept in metadata.json.

    Args:
        plan: the training.
        command: the command, without secrets.

    Attributes:
        status: `failed` until the run ends otherwise: `done` or `interrupted`.
    """

    def __init__(self, plan: TrainingPlan, command: Sequence[str]) -> None:
        training = plan.config.training
        seeds = {
            "training": training.seed,
            "evaluation during training": training.eval.seed,
            "evaluation": plan.config.evaluation.seed,
        }
        self.status = "failed"
        self._facts = describe_run(list(command), seeds)
        self._facts["wandb_run_id"] = secrets.token_hex(4)
        if plan.resume is not None:
            self._facts |= _facts_before(plan.resume)

    def write_start(self, folder: ExperimentFolder) -> None:
        """Write the facts known before training. Raises `InputError` when the folder cannot be written."""
        write_metadata(folder.metadata, self._facts)

    def start_loggers(self, plan: TrainingPlan, folder: ExperimentFolder) -> None:
        """Start the loggers where a resumed run left them, and keep their states."""
        former = self._facts.get("loggers", {})
        plan.loggers.start(folder, plan.config, {"wandb": {"run_id": self._facts["wandb_run_id"]}, **former})
        if states := plan.loggers.state_dict():
            self._facts["loggers"] = {**former, **states}
            self.write_start(folder)

    def describe_spaces(self, model: BaseAlgorithm) -> None:
        """Note the spaces of a model, for those who use it elsewhere."""
        self._facts["spaces"] = described_spaces(model)

    def end(self, timesteps: int, *, interrupted: bool) -> None:
        """Note that the run came to its end, or was interrupted with everything saved."""
        self.status = "interrupted" if interrupted else "done"
        self._facts["timesteps"] = timesteps

    def fail(self, error: Exception) -> None:
        """Note the reason of a failure."""
        self._facts["error"] = describe_failure(error)

    def write_end(self, folder: ExperimentFolder) -> None:
        """Write how the run ended, on a full disk too.

        Raises `InputError` for a run that is done and cannot be written; after a failure that would hide the first
        error.
        """
        facts = self._facts | {"status": self.status, "ended": timestamp()}
        try:
            write_metadata(folder.metadata, facts)
        except InputError:
            if self.status == "done":
                raise
            with suppress(OSError):
                overwrite_metadata(folder.metadata, facts)


def log_saved_files(run: TrainingRun, folder: ExperimentFolder) -> None:
    """Log, after a failure, the command that continues from the final model or else from the last checkpoint."""
    command = folder.resume_command if saved_states(folder) else folder.initialize_command
    # The model was written after the failure.
    if run.saved:
        learned = getattr(run.model, "_n_updates", 0) > 0
        what = "what was learned is saved" if learned else "the run is saved, though nothing was learned yet"
        logger.info("%s; go on with: %s", what, command)
        return
    # It was not: the last checkpoint remains.
    checkpoints = sorted(folder.checkpoints.glob(MODELS), key=lambda path: path.stat().st_mtime_ns)
    if checkpoints:
        logger.warning(
            "%s was not saved; the last checkpoint is %s; go on with: %s",
            folder.model.name,
            checkpoints[-1],
            command,
        )


def _facts_before(resume: ResumePoint) -> dict[str, object]:
    """Return the facts that a resumed run keeps: its start, the states of its loggers, and the resumes so far."""
    former = resume.metadata()
    kept: dict[str, object] = {key: former[key] for key in ("started", "wandb_run_id", "loggers") if key in former}
    resumed = [*former.get("resumed", []), {"time": timestamp(), "timesteps": resume.timesteps}]
    return kept | {"resumed": resumed}
