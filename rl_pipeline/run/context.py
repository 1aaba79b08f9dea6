"""The settings of one run that travel together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.factory import Environments
from rl_pipeline.evaluation.environments import open_evaluation_environments
from rl_pipeline.experiment.evaluations import EvaluationSummary
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.run.plan import TrainingPlan

Evaluated = Callable[[int, EvaluationSummary], None]
"""Takes the number of evaluations so far, this one included, and the figures of this one."""


def never_interrupted() -> None:
    """Check for an interruption in a run that has none."""


@dataclass(frozen=True)
class RunContext:
    """One run: the plan, the files and services it uses, and the callers that follow it.

    Attributes:
        plan: the checked configuration, with everything resolved from it.
        folder: the experiment folder.
        environments: opens and owns the environments.
        console: draws progress; None: it is logged only.
        callbacks: further callbacks of Stable-Baselines3, called after those of the configuration. One that has
            `state_dict` and `load_state_dict` is part of the run's state.
        evaluated: called after each evaluation during training; may raise `RunInterrupted`.
        check: called after each step or short rollout, and in evaluations; may raise to end the run.
    """

    plan: TrainingPlan
    folder: ExperimentFolder
    environments: Environments
    console: Console | None = None
    callbacks: Sequence[BaseCallback] = ()
    evaluated: Evaluated | None = None
    check: Callable[[], None] = never_interrupted

    def open_evaluation_environments(self) -> VecEnv:
        """Open the environments for every evaluation of the run, enough for the larger of its two kinds."""
        config = self.plan.config
        size = self.environments.evaluation_size(max(config.training.eval.num_episodes, config.evaluation.num_episodes))
        return open_evaluation_environments(self.environments, config, size, config.training.eval.seed)
