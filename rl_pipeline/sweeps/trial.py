"""One trial: a training in a thread, whose evaluations are asked for one by one and which can be ended between them."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.config.layers import Layer
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.resume_point import ResumePoint
from rl_pipeline.experiment.evaluations import EvaluationSummary
from rl_pipeline.experiment.record import read_record
from rl_pipeline.run.interruption import Interruption
from rl_pipeline.run.rl_trainer import RLTrainer, unobserved
from rl_pipeline.sweeps.folder import SweepFolder, trial_name
from rl_pipeline.tracebacks import describe_failure

OBJECTIVES: Final = {"return": "mean_return", "success_rate": "success_rate"}
"""What may count, and which figure of an evaluation that is."""
LOOK_INTERVAL: Final = 1.0
SAVE_DEADLINE: Final = 60.0
"""Seconds that a trial that is ended early has to save what it learned."""


class TrialReport(TypedDict, total=False):
    """What a trial tells: an evaluation and its value; at the end `done`, with a value or what went wrong."""

    evaluation: int
    value: float
    done: bool
    error: str


class TrialRun:
    """The training of a trial; one that has begun before is resumed from its own experiment folder.

    Args:
        folder: the sweep's.
        number: the trial's.
        sample: the settings that the trial is to use, by configuration key.
        objective: what counts, of `OBJECTIVES`.
        command: the command, kept in the experiment folder.
    """

    def __init__(
        self, folder: SweepFolder, number: int, sample: Mapping[str, Any], objective: str, command: Sequence[str]
    ) -> None:
        self._folder, self._number, self._sample = folder, number, sample
        self._objective, self._command = OBJECTIVES[objective], command
        self._interruption = Interruption()
        self._reports: queue.Queue[TrialReport] = queue.Queue()
        self._thread = threading.Thread(target=self._train, name=trial_name(number), daemon=True)
        self._thread.start()

    def next(self) -> TrialReport:
        """Wait for the next evaluation or the end."""
        while True:
            try:
                return self._reports.get(timeout=LOOK_INTERVAL)
            except queue.Empty:
                if not self._thread.is_alive() and self._reports.empty():
                    return {"done": True, "error": "its training ended without a word"}

    def stop(self) -> None:
        """Have the training end with everything saved, so that it can be resumed, and wait for that."""
        self._interruption.requested = True
        self._thread.join(SAVE_DEADLINE)

    def _train(self) -> None:
        try:
            report = self._result()
        except Exception as error:
            logging.getLogger(__name__).debug("a trial failed", exc_info=True)
            reason = str(error) if isinstance(error, InputError) else describe_failure(error)
            report = {"done": True, "error": reason}
        if report is not None:
            self._reports.put(report)

    def _result(self) -> TrialReport | None:
        """Train, or go on, or read the result of a training that has ended; None when it was interrupted."""
        self._folder.clear(self._number)
        folder = self._folder.trial(self._number)
        if folder is not None and (record := read_record(folder)).status == "done" and record.evaluation is not None:
            return {"done": True, "value": self._value(record.evaluation)}
        config = trial_config(
            load_config(
                config_file=self._folder.config,
                machine_file=NO_MACHINE_FILE,
                sampled=Layer.of_mapping(str(self._folder.space), self._sample),
            ),
            self._folder,
            self._number,
        )
        result = RLTrainer(
            config,
            overrides=[f"{key}={value}" for key, value in self._sample.items()],
            command=self._command,
            resume=None if folder is None else ResumePoint.of(folder),
            evaluated=self._evaluated,
            interruption=self._interruption,
        ).train()
        if result.interrupted:
            return None
        if result.evaluation is None:
            return {"done": True, "error": "the simulators of its evaluation were lost"}
        return {"done": True, "value": self._value(vars(result.evaluation))}

    def _evaluated(self, evaluation: int, summary: EvaluationSummary) -> None:
        self._reports.put({"evaluation": evaluation, "value": self._value(vars(summary))})

    def _value(self, figures: Mapping[str, Any]) -> float:
        if (value := figures[self._objective]) is None:
            raise InputError("--objective success_rate: the environment does not tell success; expected return")
        return float(value)


def trial_config(config: Config, folder: SweepFolder, number: int) -> Config:
    """The configuration of a trial: in the sweep's folder, on ports of its own, without videos."""
    config = unobserved(config, folder.path)
    experiment = config.experiment.model_copy(update={"name": trial_name(number)})
    wandb_run = config.wandb_run.model_copy(update={"group": config.wandb_run.group or folder.path.name})
    return config.model_copy(
        update={"experiment": experiment, "wandb_run": wandb_run, "simulation": config.simulation.with_any_port()}
    )
