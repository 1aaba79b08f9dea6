"""One trial of a sweep: a training in a thread that reports each evaluation and can be ended after any."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.config.layers import Layer
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.evaluations import EvaluationSummary
from rl_pipeline.experiment.record import read_record
from rl_pipeline.run.interruption import Interruption
from rl_pipeline.run.plan import without_videos
from rl_pipeline.run.rl_trainer import RLTrainer
from rl_pipeline.sweeps.folder import SweepFolder, trial_name
from rl_pipeline.tracebacks import describe_failure

logger = logging.getLogger(__name__)

OBJECTIVES: Final = {"return": "mean_return", "success_rate": "success_rate"}
"""Objectives, and the figure of an evaluation that each stands for."""
POLL_INTERVAL: Final = 1.0
"""Seconds between two checks that the training's thread is alive."""
SAVE_DEADLINE: Final = 60.0
"""Seconds that a trial has to save its experiment when it is ended early."""


@dataclass(frozen=True)
class TrialResources:
    """Machine and share of it that each trial runs on.

    Attributes:
        jobs: trials at a time; None: as many as a cluster has room for, on one machine one for every two cores.
        cpus: processor cores of a trial.
        gpus: GPUs of a trial; a fraction shares one.
        address: of a Ray cluster; None: this machine.
    """

    jobs: int | None = None
    cpus: int = 1
    gpus: float = 0.0
    address: str | None = None


class TrialReport(TypedDict, total=False):
    """Report of a trial: `evaluation` and `value` during training; at its end `done`, with `value` or `error`."""

    evaluation: int
    value: float
    done: bool
    error: str


class TrialRun:
    """The training of a trial; one that has begun before is resumed from its experiment folder.

    Args:
        folder: of the sweep.
        number: of the trial.
        sample: settings of the trial by configuration key.
        objective: one of `OBJECTIVES`.
        command: the command, kept in the experiment folder.
    """

    def __init__(
        self, folder: SweepFolder, number: int, sample: Mapping[str, Any], objective: str, command: Sequence[str]
    ) -> None:
        self._folder = folder
        self._number = number
        self._sample = sample
        self._figure = OBJECTIVES[objective]
        self._command = command
        self._interruption = Interruption()
        self._reports: queue.Queue[TrialReport] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name=trial_name(number), daemon=True)
        self._thread.start()

    def next(self) -> TrialReport:
        """Wait for the next evaluation or the end."""
        while True:
            try:
                return self._reports.get(timeout=POLL_INTERVAL)
            except queue.Empty:
                if not self._thread.is_alive() and self._reports.empty():
                    return {"done": True, "error": "its training ended without a word"}

    def stop(self) -> None:
        """End the training with everything saved, so that it can be resumed, and wait for that."""
        self._interruption.requested = True
        self._thread.join(SAVE_DEADLINE)

    def _run(self) -> None:
        """Train, and report the result or the failure; the thread's body."""
        try:
            report = self._train()
        except Exception as error:
            logger.debug("a trial failed", exc_info=True)
            reason = str(error) if isinstance(error, InputError) else describe_failure(error)
            report = {"done": True, "error": reason}
        if report is not None:
            self._reports.put(report)

    def _train(self) -> TrialReport | None:
        """Begin or resume the training, unless it has ended before; returns None when it is interrupted."""
        # A trial may have ended just before the sweep was killed, without its result in the study.
        self._folder.clear(self._number)
        folder = self._folder.trial(self._number)
        if folder is not None and (record := read_record(folder)).status == "done" and record.evaluation is not None:
            return {"done": True, "value": self._value(record.evaluation)}

        # Configuration: the sweep's, with the sample over it. The machine file is in the sweep's already.
        sampled = Layer.of_mapping(str(self._folder.space), self._sample)
        config = load_config(config_file=self._folder.config, machine_file=NO_MACHINE_FILE, sampled=sampled)

        # Train, reporting each evaluation on the way.
        result = RLTrainer(
            trial_config(config, self._folder, self._number),
            overrides=[f"{key}={value}" for key, value in self._sample.items()],
            command=self._command,
            resume=None if folder is None else ResumePoint.of(folder),
            evaluated=self._report_evaluation,
            interruption=self._interruption,
        ).train()
        if result.interrupted:
            return None
        if result.evaluation is None:
            return {"done": True, "error": "the simulators of its evaluation were lost"}
        return {"done": True, "value": self._value(vars(result.evaluation))}

    def _report_evaluation(self, evaluation: int, summary: EvaluationSummary) -> None:
        self._reports.put({"evaluation": evaluation, "value": self._value(vars(summary))})

    def _value(self, figures: Mapping[str, Any]) -> float:
        """Return the objective among the figures of an evaluation."""
        if (value := figures[self._figure]) is None:
            raise InputError("--objective success_rate: the environment does not report success; expected return")
        return float(value)


def trial_config(config: Config, folder: SweepFolder, number: int) -> Config:
    """Return the configuration of a trial: in the sweep's folder, on any free port, without videos."""
    config = without_videos(config, folder.path)
    experiment = config.experiment.model_copy(update={"name": trial_name(number)})
    wandb_run = config.wandb_run.model_copy(update={"group": config.wandb_run.group or folder.path.name})
    return config.model_copy(
        update={"experiment": experiment, "wandb_run": wandb_run, "simulation": config.simulation.with_any_port()}
    )
