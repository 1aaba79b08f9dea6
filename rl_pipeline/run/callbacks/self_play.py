"""Self-play as part of a training: snapshots, ratings in the log, and their plot at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from rl_pipeline.algorithms.self_play import OpponentPool
from rl_pipeline.config import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import OptionalFile
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.plots.elo import EloHistory, draw_elo
from rl_pipeline.run.callbacks.callback import RunCallback

SUPPORTED_WRAPPERS: Final = ("normalize", "clip_rewards")
"""Wrappers that work with opponents: the others remember parts of an episode, of the agent's side only."""


class SelfPlay(RunCallback):
    """Lets a model play against its own past versions.

    Args:
        config: the whole configuration, with `training.self_play` enabled.

    Raises:
        InputError: a wrapper is set that cannot process the observations of opponents.

    Attributes:
        opponents: opponents of the training environments.
        history: ratings over the training.
    """

    name = "self_play"

    def __init__(self, config: Config) -> None:
        super().__init__()
        training = config.training
        for name, given in config.wrappers.items():
            if name not in SUPPORTED_WRAPPERS and given not in (None, False):
                raise InputError(
                    f"wrappers.{name}: opponents of training.self_play cannot see through it; set it to null"
                )
        self.opponents = OpponentPool(training.self_play, config.simulation.n_environments, training.seed)
        self.history = EloHistory()

    def _init_callback(self) -> None:
        """Follow the model. Raises `InputError` for a policy that cannot be an opponent."""
        normalizer = self.model.get_vec_normalize_env()
        # Snapshots are normalised by the present statistics too: no others are kept.
        self.opponents.follow(self.model.policy, None if normalizer is None else normalizer.normalize_obs)

    def before_rollout(self, timesteps: int) -> None:
        """Log the ratings."""
        pool = self.opponents
        # The history thins out as it grows.
        if not self.history.timesteps or timesteps >= self.history.timesteps[-1] + self.history.spacing:
            self.history.add(timesteps, pool.elo)
        # The row of the log.
        self.logger.record("self_play/elo", pool.elo)
        if pool.snapshots:
            self.logger.record("self_play/pool_elo", float(np.mean([snapshot.elo for snapshot in pool.snapshots])))
        if pool.results:
            self.logger.record("self_play/win_rate", float(np.mean(pool.results)))

    def after_step(self, timesteps: int) -> None:
        """Take a snapshot when one is due."""
        if self.opponents.update(timesteps):
            self.history.add_snapshot(timesteps, self.opponents.elo)

    def draw(self, folder: ExperimentFolder, title: str) -> None:
        """Draw the ratings into the folder; a failure costs a warning."""
        OptionalFile(folder.elo).attempt(lambda: draw_elo(folder.elo, title, self.history))

    def state_dict(self) -> dict[str, Any]:
        """Return opponents, ratings and their history as arrays and JSON values."""
        return {**self.opponents.state_dict(), "history": self.history.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue with the opponents and ratings of the state."""
        self.opponents.load_state_dict(state)
        self.history.load_state_dict(state["history"])
