"""Self-play as part of a training: snapshots on time, ratings in the log, and their picture at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.algorithms.self_play import OpponentPool
from rl_pipeline.config import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.plots.elo import EloHistory

_SEEN_THROUGH: Final = ("normalize", "clip_rewards")
"""Wrappers that opponents can do with: what the others keep of an episode is kept of the agent's side only."""


class SelfPlay:
    """Has a model play against its own past, where the configuration says so.

    Args:
        config: the whole configuration, with `training.self_play` enabled.

    Raises:
        InputError: observations are wrapped in what opponents cannot see through.

    Attributes:
        opponents: who plays against the model.
        history: how ratings went.
    """

    def __init__(self, config: Config) -> None:
        training = config.training
        for name, given in config.wrappers.items():
            if name not in _SEEN_THROUGH and given not in (None, False):
                raise InputError(
                    f"wrappers.{name}: opponents of training.self_play cannot see through it; set it to null"
                )
        self.opponents = OpponentPool(training.self_play, config.simulation.n_environments, training.seed)
        self.history = EloHistory()

    @classmethod
    def of(cls, config: Config) -> SelfPlay | None:
        """Self-play as the configuration has it; None: it has none."""
        return cls(config) if config.training.self_play.enabled else None

    def follow(self, model: BaseAlgorithm) -> None:
        """Name the model that learns; to be called before it does."""
        self._model = model
        normalizer = model.get_vec_normalize_env()
        # Of the statistics there are only the present ones: snapshots see by them too.
        self.opponents.follow(model.policy, None if normalizer is None else normalizer.normalize_obs)

    def update(self, timesteps: int) -> None:
        """Take a snapshot when it is time; to be called after each step."""
        if self.opponents.update(timesteps):
            self.history.add_snapshot(timesteps, self.opponents.elo)

    def record(self, timesteps: int) -> None:
        """Log the ratings; to be called before each rollout."""
        pool, record = self.opponents, self._model.logger.record
        if not self.history.timesteps or timesteps >= self.history.timesteps[-1] + self.history.spacing:
            self.history.add(timesteps, pool.elo)
        record("self_play/elo", pool.elo)
        if pool.snapshots:
            record("self_play/pool_elo", float(np.mean([snapshot.elo for snapshot in pool.snapshots])))
        if pool.results:
            record("self_play/win_rate", float(np.mean(pool.results)))

    def state_dict(self) -> dict[str, Any]:
        """Everything that it takes to go on, as arrays and JSON values."""
        return {**self.opponents.state_dict(), "history": self.history.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the state was taken."""
        self.opponents.load_state_dict(state)
        self.history.load_state_dict(state["history"])
