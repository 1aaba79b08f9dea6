"""How long players take to answer, logged beside what the algorithm logs."""

from __future__ import annotations

import time
from typing import Final

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv

PERIOD: Final = 1.0
"""Seconds between two looks: off-policy algorithms begin a rollout with each step."""


class PlayerMonitor:
    """Records `players/...` in the model's log: response times in ms, and who holds the others up, for how much.

    Args:
        model: where it is logged.
        venv: the training environments; those without players are not watched.
    """

    def __init__(self, model: BaseAlgorithm, venv: VecEnv) -> None:
        self._model = model
        while isinstance(venv, VecEnvWrapper):
            venv = venv.venv
        self._env = venv.env if isinstance(venv, PlayerVecEnv) else None
        self._next = 0.0

    def update(self, timesteps: int) -> None:
        """Record the last steps' figures, now and then."""
        if self._env is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PERIOD
        times = self._env.response_times
        if np.isnan(times.mean).all():
            return
        record, slowest = self._model.logger.record, times.slowest
        record("players/mean_response_ms", 1e3 * float(np.nanmean(times.mean)))
        record("players/max_response_ms", 1e3 * float(np.nanmax(times.maximum)))
        record("players/slowest_share", float(times.share[slowest]))
        record("players/slowest", self._env.players[slowest])
