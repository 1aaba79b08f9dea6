"""rl_games' files, command line, factories and observers, on this project's training."""

from rl_pipeline.rl_games import env_configurations, vecenv
from rl_pipeline.rl_games.agent import Agent
from rl_pipeline.rl_games.job import Job
from rl_pipeline.rl_games.observers import AlgoObserver, DefaultAlgoObserver, IsaacAlgoObserver, MultiObserver
from rl_pipeline.rl_games.player import Player
from rl_pipeline.rl_games.registries import (
    ObjectFactory,
    register_algorithm_builder,
    register_network,
    register_observer,
    register_player_builder,
)
from rl_pipeline.rl_games.runner import Runner
from rl_pipeline.rl_games.vecenv import IVecEnv

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
