"""What a sweep knows: Optuna's study in a file, which says what to try next and survives the death of the command."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from rl_pipeline.sweeps.folder import SweepFolder, SweepSettings
from rl_pipeline.sweeps.space import SearchSpace

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

DRAWN_AT_RANDOM: Final = 10
"""Trials before the search learns from them (Optuna's default); of a small sweep, half of them."""
STATES: Final = {
    TrialState.COMPLETE: "done",
    TrialState.PRUNED: "ended early",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "unfinished",
}
"""What people read of a trial's state."""
FEWEST: Final = 4
"""Different results before it is said which settings matter."""
PRUNERS: Final[Mapping[str, Callable[[], BasePruner]]] = {
    "median": lambda: MedianPruner(n_warmup_steps=1),  # one evaluation is no reason yet
    "asha": SuccessiveHalvingPruner,
    "none": NopPruner,
}


class SweepStudy:
    """Which trials there are, what they use, how they do, and which to end early.

    A trial that is begun and neither finished nor failed, as after a kill, is given out again before new ones are.

    Args:
        folder: the sweep's.
        space: what is varied.
        settings: how it is searched.

    Attributes:
        space: what is varied.
    """

    def __init__(self, folder: SweepFolder, space: SearchSpace, settings: SweepSettings) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space = space
        storage = RDBStorage(f"sqlite:///{folder.study}")
        self._study = optuna.create_study(
            storage=storage, study_name="sweep", direction="maximize", load_if_exists=True,
            pruner=PRUNERS[settings.pruner](),
        )  # fmt: skip
        # Not the seed alone: a sweep that is resumed is to draw other numbers than it did at its beginning.
        drawn = len(self._study.trials)
        self._study.sampler = TPESampler(
            n_startup_trials=min(DRAWN_AT_RANDOM, -(-settings.trials // 2)), seed=settings.seed + drawn
        )
        self._unfinished = [Trial(self._study, frozen._trial_id) for frozen in self._study.trials if _is_open(frozen)]
        self._open: dict[int, Trial] = {}

    def ask(self) -> tuple[int, dict[str, Any]]:
        """Number and sample of the next trial to run."""
        trial = self._unfinished.pop(0) if self._unfinished else self._study.ask()
        self._open[trial.number] = trial
        sample = self.space.suggest(trial)
        logger.info("trial %d begins: %s", trial.number, ", ".join(f"{key}={value}" for key, value in sample.items()))
        return trial.number, sample

    def report(self, number: int, evaluation: int, value: float) -> bool:
        """Take an evaluation of a trial; whether it is to be ended because others did better by then."""
        self._open[number].report(value, evaluation)
        logger.info("trial %d, evaluation %d: %.4g", number, evaluation, value)
        if not self._open[number].should_prune():
            return False
        # Told with the last value reported: the search learns from trials that were ended too.
        self._study.tell(number, state=TrialState.PRUNED)
        logger.info("trial %d: ended early at evaluation %d: %.4g", number, evaluation, value)
        return True

    def finish(self, number: int, value: float) -> None:
        """Take the result of a trial that came to its end; NaN is a failure."""
        if not math.isfinite(value):
            self.fail(number, f"its result is {value}")
            return
        self._study.tell(number, value)
        assert self.best is not None
        logger.info("trial %d: %.4g (best: %.4g of trial %d)", number, value, self.best.value, self.best.number)

    def fail(self, number: int, reason: str) -> None:
        """Note that a trial has failed."""
        self._study.tell(number, state=TrialState.FAIL)
        logger.warning("trial %d failed: %s", number, reason)

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, by their number."""
        return self._study.get_trials(deepcopy=False)

    @property
    def ended(self) -> int:
        """How many trials are not to be run any more."""
        return sum(not _is_open(trial) for trial in self.trials)

    def counts(self) -> str:
        """How many trials there are in which state."""
        states = [STATES[trial.state] for trial in self.trials]
        return ", ".join(f"{states.count(state)} {state}" for state in STATES.values() if state in states)

    @property
    def best(self) -> FrozenTrial | None:
        """The best trial that came to its end; None before any did."""
        done = [trial for trial in self.trials if trial.state == TrialState.COMPLETE]
        return max(done, key=lambda trial: trial.value or 0.0, default=None)

    def importances(self) -> dict[str, float]:
        """How much each key matters for the objective (PED-ANOVA, Watanabe et al. 2023), largest first, in sum 1.

        Empty where it cannot be told yet.
        """
        if len({trial.value for trial in self.trials if trial.state == TrialState.COMPLETE}) < FEWEST:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        return optuna.importance.get_param_importances(self._study, evaluator=evaluator)


def _is_open(trial: FrozenTrial) -> bool:
    return not trial.state.is_finished()
