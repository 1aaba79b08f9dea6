"""Evaluations during training, and the best model by them."""

from __future__ import annotations

import logging
from collections.abc import Callable

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config.schema import TrainingEvaluationConfig
from rl_pipeline.evaluation.rollout import play_episodes
from rl_pipeline.experiment.checkpoints.checkpointer import Milestones
from rl_pipeline.experiment.checkpoints.model_file import hand_over_statistics, save_model
from rl_pipeline.experiment.evaluations import EvaluationLog, EvaluationSummary, summarise
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.plurals import plural
from rl_pipeline.run.segment import restart_episodes

logger = logging.getLogger(__name__)

Evaluated = Callable[[int, EvaluationSummary], None]
"""What is told of an evaluation: how many there were so far, with this one, and what it found."""


class PeriodicEvaluation:
    """Plays the same episodes at evenly spread points of a run and keeps the model that does best.

    Args:
        model: what is judged.
        open_venv: opens the environments to play in; called before the first evaluation.
        settings: how many evaluations, of how many episodes, with which seed.
        folder: where `best_model.zip` goes.
        config: text of the configuration, kept inside the model.
        total: environment steps of the run.
        log: takes each evaluation.
        check: called before each step; may raise to end the evaluation.
        shares_players: whether an evaluation ends the episodes of the training.
        evaluated: called after each evaluation that found anything.
    """

    def __init__(
        self,
        model: BaseAlgorithm,
        open_venv: Callable[[], VecEnv],
        settings: TrainingEvaluationConfig,
        folder: ExperimentFolder,
        config: str,
        total: int,
        log: EvaluationLog,
        check: Callable[[], None],
        shares_players: bool = False,
        evaluated: Evaluated | None = None,
    ) -> None:
        self._model, self._open_venv, self._settings = model, open_venv, settings
        self._folder, self._config, self._log, self._check = folder, config, log, check
        self._total, self._shares_players, self._evaluated = total, shares_players, evaluated
        self._milestones = Milestones(total, settings.num_evals)
        self._best = (float("-inf"), float("-inf"))

    def go_back(self) -> None:
        """Go on after the last evaluation in the log, knowing the best."""
        self._best = max((episodes.rank() for episodes in self._log.evaluations), default=self._best)
        self._milestones.reached(max(self._log.timesteps, default=0))

    def update(self, timesteps: int) -> None:
        """Evaluate when it is time, but at the end: then the last update is still to come, and `finish` evaluates.

        Called between rollouts: the policy has learned from all steps so far, and episodes may begin anew.
        """
        if timesteps < self._total and self._milestones.reached(timesteps):
            self._evaluate(timesteps)
            if self._shares_players:
                restart_episodes(self._model)

    def finish(self, timesteps: int) -> None:
        """Evaluate the model that the training ended with, which may have come before its last step."""
        if self._milestones.reached(max(timesteps, self._total)):
            self._evaluate(timesteps)

    def _evaluate(self, timesteps: int) -> None:
        venv = self._open_venv()
        if self._model.env is not None:
            hand_over_statistics(self._model.env, venv)
        episodes = play_episodes(
            self._model,
            venv,
            self._settings.num_episodes,
            self._settings.seed,
            deterministic=self._settings.deterministic,
            each_step=self._check,
        )
        self._log.add(timesteps, episodes)
        summary = summarise(episodes)
        if summary is None:
            noun = plural(timesteps, "step")
            logger.warning("evaluation at %d %s: every simulator was lost, nothing is known", timesteps, noun)
            return
        self._record(timesteps, summary)
        better = episodes.rank() > self._best
        if better:
            self._best = episodes.rank()
            save_model(self._model, self._folder.best_model, self._config)
        success = "" if summary.success_rate is None else f", success {summary.success_rate:.0%}"
        logger.info(
            "evaluation at %d %s: return %.1f ± %.1f%s%s",
            timesteps, plural(timesteps, "step"), summary.mean_return, summary.sd_return or 0.0, success,
            " (best so far)" if better else "",
        )  # fmt: skip
        if self._evaluated is not None:
            self._evaluated(len(self._log.timesteps), summary)

    def _record(self, timesteps: int, summary: EvaluationSummary) -> None:
        self._model.logger.record("eval/mean_reward", summary.mean_return)
        self._model.logger.record("eval/mean_ep_length", summary.mean_length)
        if summary.success_rate is not None:
            self._model.logger.record("eval/success_rate", summary.success_rate)
        self._model.logger.record("time/total_timesteps", timesteps, exclude="tensorboard")
        self._model.logger.dump(timesteps)
