"""Evaluations during training, and the best model by them."""

from __future__ import annotations

import logging
from collections.abc import Callable

from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.evaluation.rollout import play_episodes
from rl_pipeline.experiment.checkpoints.checkpointer import Milestones
from rl_pipeline.experiment.checkpoints.model_file import hand_over_statistics, save_model
from rl_pipeline.experiment.evaluations import EvaluationLog, EvaluationSummary, summarise
from rl_pipeline.plurals import plural
from rl_pipeline.run.callbacks.callback import RunCallback
from rl_pipeline.run.context import RunContext
from rl_pipeline.run.episodes import restart_episodes

logger = logging.getLogger(__name__)


class PeriodicEvaluation(RunCallback):
    """Plays the same episodes at evenly spaced points of a run and keeps the model that does best.

    Args:
        context: the run.
        open_venv: opens the environments to play in; called before the first evaluation.
        log: takes each evaluation.
    """

    def __init__(self, context: RunContext, open_venv: Callable[[], VecEnv], log: EvaluationLog) -> None:
        super().__init__()
        training = context.plan.config.training
        self._context = context
        self._settings = training.eval
        self._total = training.total_timesteps
        self._open_venv = open_venv
        self._log = log
        self._milestones = Milestones(self._total, self._settings.num_evals)
        self._best = (float("-inf"), float("-inf"))

    def restored(self, timesteps: int) -> None:
        """Continue after the last evaluation up to here, with the best of them."""
        # Evaluations after the checkpoint are repeated.
        self._log.go_back(timesteps)
        self._best = max((episodes.rank() for episodes in self._log.evaluations), default=self._best)
        self._milestones.reached(max(self._log.timesteps, default=0))

    def before_rollout(self, timesteps: int) -> None:
        """Evaluate when it is due, except at the last step: the last update is still to come, and `at_end` follows."""
        if timesteps < self._total and self._milestones.reached(timesteps):
            self._evaluate(timesteps)
            # An evaluation on the training's own players has ended the training's episodes.
            if self._context.environments.shares_players:
                restart_episodes(self.model)

    def at_end(self, timesteps: int) -> None:
        """Evaluate the model at the end of the training, which may have come before its last step."""
        if self._milestones.reached(max(timesteps, self._total)):
            self._evaluate(timesteps)

    def _evaluate(self, timesteps: int) -> None:
        # Play with the statistics of the training as they are now.
        venv = self._open_venv()
        if self.model.env is not None:
            hand_over_statistics(self.model.env, venv)
        episodes = play_episodes(
            self.model,
            venv,
            self._settings.num_episodes,
            self._settings.seed,
            deterministic=self._settings.deterministic,
            each_step=self._context.check,
        )
        # Log the figures.
        self._log.add(timesteps, episodes)
        summary = summarise(episodes)
        if summary is None:
            noun = plural(timesteps, "step")
            logger.warning("evaluation at %d %s: every simulator was lost, nothing is known", timesteps, noun)
            return
        self._record(timesteps, summary)
        # Keep the best model.
        better = episodes.rank() > self._best
        if better:
            self._best = episodes.rank()
            save_model(self.model, self._context.folder.best_model, self._context.plan.config_text)
        success = "" if summary.success_rate is None else f", success {summary.success_rate:.0%}"
        logger.info(
            "evaluation at %d %s: return %.1f ± %.1f%s%s",
            timesteps,
            plural(timesteps, "step"),
            summary.mean_return,
            summary.sd_return or 0.0,
            success,
            " (best so far)" if better else "",
        )
        # The caller may end the run here, as sweeps do.
        if self._context.evaluated is not None:
            self._context.evaluated(len(self._log.timesteps), summary)

    def _record(self, timesteps: int, summary: EvaluationSummary) -> None:
        """Write a row of the training's log."""
        self.logger.record("eval/mean_reward", summary.mean_return)
        self.logger.record("eval/mean_ep_length", summary.mean_length)
        if summary.success_rate is not None:
            self.logger.record("eval/success_rate", summary.success_rate)
        self.logger.record("time/total_timesteps", timesteps, exclude="tensorboard")
        self.logger.dump(timesteps)
