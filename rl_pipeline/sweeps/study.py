"""Study of a sweep: Optuna's record of all trials, in a file that survives the death of the command."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from rl_pipeline.sweeps.folder import SweepFolder, SweepSettings
from rl_pipeline.sweeps.space import SearchSpace

logger = logging.getLogger(__name__)

MAX_RANDOM_TRIALS: Final = 10
"""Trials sampled at random before the sampler learns from them (Optuna's default); of a small sweep, half of them."""
MIN_RESULTS: Final = 4
"""Different results from which importances are computed."""
STATES: Final = {
    TrialState.COMPLETE: "done",
    TrialState.PRUNED: "ended early",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "unfinished",
}
"""Names of a trial's states in reports."""
PRUNERS: Final[Mapping[str, Callable[[], BasePruner]]] = {
    # A single evaluation is too noisy to end a trial by. Evaluations count from 1, warm-up steps from 0.
    "median": lambda: MedianPruner(n_warmup_steps=2),
    "asha": SuccessiveHalvingPruner,
    "none": NopPruner,
}


class SweepStudy:
    """The trials of a sweep: their settings, evaluations and states, and the trials to end early.

    A trial that has begun and neither finished nor failed, as after a kill, is handed out again before new ones.

    Args:
        folder: of the sweep.
        space: settings to vary.
        settings: of the search.

    Attributes:
        space: settings to vary.
    """

    def __init__(self, folder: SweepFolder, space: SearchSpace, settings: SweepSettings) -> None:
        self.space = space
        # Open the study in its file, or create it.
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(
            storage=RDBStorage(f"sqlite:///{folder.study}"),
            study_name="sweep",
            direction="maximize",
            load_if_exists=True,
            pruner=PRUNERS[settings.pruner](),
        )
        # Not the seed alone: a resumed sweep would sample the settings of its first trials again.
        former = self._study.trials
        random_trials = min(MAX_RANDOM_TRIALS, -(-settings.trials // 2))
        self._study.sampler = TPESampler(n_startup_trials=random_trials, seed=settings.seed + len(former))
        # Trials to hand out again, and those that run now by their number.
        self._unfinished = [Trial(self._study, trial._trial_id) for trial in former if _is_open(trial)]
        self._open: dict[int, Trial] = {}

    def ask(self) -> tuple[int, dict[str, Any]]:
        """Return number and sample of the next trial to run."""
        trial = self._unfinished.pop(0) if self._unfinished else self._study.ask()
        self._open[trial.number] = trial
        sample = self.space.suggest(trial)
        logger.info("trial %d begins: %s", trial.number, ", ".join(f"{key}={value}" for key, value in sample.items()))
        return trial.number, sample

    def report(self, number: int, evaluation: int, value: float) -> bool:
        """Record an evaluation of a trial; returns True to end it, because others were better by then."""
        self._open[number].report(value, evaluation)
        logger.info("trial %d, evaluation %d: %.4g", number, evaluation, value)
        if not self._open[number].should_prune():
            return False
        # Optuna stores the last value reported with it: the sampler learns from pruned trials too.
        self._study.tell(number, state=TrialState.PRUNED)
        logger.info("trial %d: ended early at evaluation %d: %.4g", number, evaluation, value)
        return True

    def finish(self, number: int, value: float) -> None:
        """Record the result of a trial that came to its end; NaN is a failure."""
        if not math.isfinite(value):
            self.fail(number, f"its result is {value}")
            return
        self._study.tell(number, value)
        assert self.best is not None
        logger.info("trial %d: %.4g (best: %.4g of trial %d)", number, value, self.best.value, self.best.number)

    def fail(self, number: int, reason: str) -> None:
        """Record that a trial has failed."""
        self._study.tell(number, state=TrialState.FAIL)
        logger.warning("trial %d failed: %s", number, reason)

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, by their number."""
        return self._study.get_trials(deepcopy=False)

    @property
    def ended(self) -> int:
        """Number of trials that have finished, failed or been ended early."""
        return sum(not _is_open(trial) for trial in self.trials)

    def counts(self) -> str:
        """Return the number of trials in each state, as text."""
        states = [STATES[trial.state] for trial in self.trials]
        return ", ".join(f"{states.count(state)} {state}" for state in STATES.values() if state in states)

    @property
    def best(self) -> FrozenTrial | None:
        """The best trial that came to its end; None before any did."""
        done = [trial for trial in self.trials if trial.state == TrialState.COMPLETE]
        return max(done, key=lambda trial: trial.value or 0.0, default=None)

    def importances(self) -> dict[str, float]:
        """Return the share of each key in the variation of the objective, largest first (PED-ANOVA, Watanabe 2023).

        Empty before `MIN_RESULTS` different results.
        """
        if len({trial.value for trial in self.trials if trial.state == TrialState.COMPLETE}) < MIN_RESULTS:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        return optuna.importance.get_param_importances(self._study, evaluator=evaluator)


def _is_open(trial: FrozenTrial) -> bool:
    return not trial.state.is_finished()
