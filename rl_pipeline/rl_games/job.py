"""What an algorithm or a player is built for: the file, and what the command line adds to it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from rl_pipeline.config import Config
from rl_pipeline.rl_games.observers import AlgoObserver
from rl_pipeline.rl_games.translation import RunSettings, translate

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tracking:
    """A run on Weights & Biases.

    Attributes:
        project: the project it appears under; None: what the configuration says.
        entity: user or team; None: what the configuration says.
    """

    project: str | None = None
    entity: str | None = None


@dataclass(frozen=True)
class Job:
    """What an algorithm or a player is built for.

    Attributes:
        name: the algorithm's name in the file.
        source: the file, as messages name it.
        params: what stands under `params` in a file of rl_games' layout; empty for an experiment file.
        experiment: the configuration of an experiment file; None for a file of rl_games' layout.
        observer: watches a training; None: the one that the file names.
        sigma: logarithm of the actions' standard deviation; None: as in the file or the model.
        tracking: where a training is tracked; None: nowhere but in its folder.
        console: where results are printed.
        progress: where progress is drawn.
    """

    name: str
    source: str = "config"
    params: Mapping[str, Any] = field(default_factory=dict)
    experiment: Config | None = None
    observer: AlgoObserver | None = None
    sigma: float | None = None
    tracking: Tracking | None = None
    console: Console = field(default_factory=Console)
    progress: Console | None = None

    def settings(self, algorithm: str | None = None, *, for_training: bool = True) -> tuple[Config, RunSettings]:
        """The project's configuration, and what the runner itself does.

        Args:
            algorithm: the registered algorithm that is meant by the file's name; None: the name is one itself.
            for_training: whether to say what has no counterpart.

        Raises:
            InputError: the file asks for what cannot be had.
        """
        if self.experiment is not None:
            config = self._tracked(self.experiment)
            return self._with_sigma(config), RunSettings.of_experiment(config)
        translation = translate(self.params, self.source, algorithm or self.name, self.sigma)
        if translation.left_out and for_training:
            logger.warning("%s: left out: %s", self.source, "; ".join(translation.left_out))
        return self._tracked(translation.config), translation.run

    def _with_sigma(self, config: Config) -> Config:
        if self.sigma is None:
            return config
        former = config.algorithm.architecture
        policy_kwargs = {**former.policy_kwargs, "log_std_init": self.sigma}
        architecture = former.model_copy(update={"policy_kwargs": policy_kwargs})
        algorithm = config.algorithm.model_copy(update={"architecture": architecture})
        return config.model_copy(update={"algorithm": algorithm})

    def _tracked(self, config: Config) -> Config:
        if self.tracking is None:
            return config
        given = {"project_name": self.tracking.project, "entity": self.tracking.entity}
        wandb_run = config.wandb_run.model_copy(update={key: value for key, value in given.items() if value})
        training = config.training.model_copy(update={"use_wandb": True})
        return config.model_copy(update={"training": training, "wandb_run": wandb_run})
