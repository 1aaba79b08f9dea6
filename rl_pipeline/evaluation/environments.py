"""Environments to evaluate an agent in, as the configuration describes them."""

from __future__ import annotations

from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config import Config
from rl_pipeline.envs.factory import Environments
from rl_pipeline.evaluation.trained_opponent import evaluation_opponent
from rl_pipeline.wrappers.wrapping import wrap_environments


def open_evaluation_environments(environments: Environments, config: Config, num_envs: int, seed: int) -> VecEnv:
    """Open environments in the wrappers of the configuration, with `evaluation.opponent` as opponent.

    Args:
        environments: the factory, which owns the environments.
        config: the configuration of the factory.
        num_envs: number of environments.
        seed: of the first episode.

    Raises:
        InputError: the opponent's model does not fit the environment, or a wrapper does not suit it.
    """
    opponent = evaluation_opponent(config, num_envs)
    return wrap_environments(config, environments.evaluation(num_envs, seed, opponent), training=False)
