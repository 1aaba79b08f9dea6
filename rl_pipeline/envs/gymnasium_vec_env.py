"""Environments of Gymnasium as one of Stable-Baselines3, stepped one after the other in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
from stable_baselines3.common.vec_env import DummyVecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from rl_pipeline.envs.step_faults import returned_fault
from rl_pipeline.errors import InputError

MakeEnv = Callable[[], gymnasium.Env[Any, Any]]


class GymnasiumVecEnv(DummyVecEnv):
    """A `DummyVecEnv` that names the environment whose `step` or `reset` returns what it must not.

    Args:
        env_fns: make the environments, each in a `Monitor`.
        refuse: makes the error for a fault.
    """

    def __init__(self, env_fns: Sequence[MakeEnv], refuse: Callable[[str], InputError]) -> None:
        super().__init__(list(env_fns))
        self._refusal = refuse

    def reset(self) -> VecEnvObs:
        """Reset every environment. Raises `InputError` for an observation that does not fit its space."""
        try:
            return super().reset()
        except Exception as error:
            self._refuse(error)
            raise

    def step_wait(self) -> VecEnvStepReturn:
        """Step every environment. Raises `InputError` for returned values of wrong types or shapes."""
        try:
            return super().step_wait()
        except Exception as error:
            self._refuse(error)
            raise

    def _refuse(self, error: Exception) -> None:
        if (fault := returned_fault(error, self.observation_space)) is not None:
            raise self._refusal(fault) from error
