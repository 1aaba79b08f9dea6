"""The runner of rl_games' layout: files, command line, factories and observers, on this project's training."""

from rl_pipeline.envs import env_configurations, vecenv
from rl_pipeline.envs.vecenv import IVecEnv
from rl_pipeline.runner.agent import Agent
from rl_pipeline.runner.job import Job
from rl_pipeline.runner.object_factory import ObjectFactory
from rl_pipeline.runner.observers import AlgoObserver, DefaultAlgoObserver, IsaacAlgoObserver, MultiObserver
from rl_pipeline.runner.player import Player
from rl_pipeline.runner.registries import (
    register_algorithm_builder,
    register_network,
    register_observer,
    register_player_builder,
)
from rl_pipeline.runner.runner import Runner

__all__ = [
    "Agent",
    "AlgoObserver",
    "DefaultAlgoObserver",
    "IVecEnv",
    "IsaacAlgoObserver",
    "Job",
    "MultiObserver",
    "ObjectFactory",
    "Player",
    "Runner",
    "env_configurations",
    "register_algorithm_builder",
    "register_network",
    "register_observer",
    "register_player_builder",
    "vecenv",
]
