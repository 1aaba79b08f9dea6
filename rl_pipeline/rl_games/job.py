"""The job of an algorithm or a player: a runner's file, with the settings of the command line."""

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
        project: its project; None: the one of the configuration.
        entity: its user or team; None: the one of the configuration.
    """

    project: str | None = None
    entity: str | None = None


@dataclass(frozen=True)
class Job:
    """A runner's file, with the settings of the command line.

    Attributes:
        name: the algorithm's name in the file.
        source: the file, as messages name it.
        params: the section `params` of a file of rl_games; empty for an experiment file.
        experiment: the configuration of an experiment file; None for a file of rl_games.
        observer: observer of the training; None: the one that the file names.
        sigma: logarithm of the actions' standard deviation; None: as in the file or the model.
        tracking: the run on Weights & Biases; None: the training is logged in its folder only.
        console: output of results.
        progress: output of progress; None: progress is logged only.
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
        """Translate the file into this project's configuration and the settings of the runner itself.

        Args:
            algorithm: name of a registered algorithm; None: the job's name.
            for_training: log a warning that names the settings without a counterpart.

        Raises:
            InputError: a setting of the file is unknown or not supported.
        """
        if self.experiment is not None:
            config = self._tracked(self.experiment)
            return self._with_sigma(config), RunSettings.of_experiment(config)

        # Settings that are not translated change a training, and a player little or not at all.
        translation = translate(self.params, self.source, algorithm or self.name, self.sigma)
        if translation.left_out and for_training:
            logger.warning("%s: left out: %s", self.source, "; ".join(translation.left_out))
        return self._tracked(translation.config), translation.run

    def _with_sigma(self, config: Config) -> Config:
        if self.sigma is None:
            return config
        # Configurations are immutable: copy each section on the way to the setting.
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
