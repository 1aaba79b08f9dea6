"""What stands between environments and agent, as the configuration has it."""

from __future__ import annotations

from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.wrappers import Use, wrap


def wrapped(config: Config, venv: VecEnv, *, training: bool) -> VecEnv:
    """The environments in the wrappers of the configuration. Raises `InputError` for one that does not suit them."""
    gamma = config.algorithm.parameters.get("gamma", 0.99)
    return wrap(venv, config.wrappers, Use(training, gamma if isinstance(gamma, int | float) else 0.99))
