"""What can be named in a runner's file: algorithms and their players, networks, observers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

from rl_pipeline.algorithms.registration import algorithm_names
from rl_pipeline.models.feature_extractors.registration import register_feature_extractor
from rl_pipeline.rl_games.agent import Agent
from rl_pipeline.rl_games.object_factory import ObjectFactory
from rl_pipeline.rl_games.observers import OBSERVERS, AlgoObserver
from rl_pipeline.rl_games.player import Player

ALGORITHMS: Final = ObjectFactory("algorithm")
PLAYERS: Final = ObjectFactory("player")


def register_algorithm_builder(name: str, builder: Callable[..., Any]) -> None:
    """Have `params.algo.name` mean what `builder(job=...)` returns: an object with `restore` and `train`, as `Agent`.

    Raises `InputError` when the name is taken.
    """
    ALGORITHMS.register_builder(name, builder)


def register_player_builder(name: str, builder: Callable[..., Any]) -> None:
    """Have `--play` use what `builder(job=...)` returns: an object with `restore` and `run`, as `Player`.

    Raises `InputError` when the name is taken.
    """
    PLAYERS.register_builder(name, builder)


def register_network(name: str, network: type[BaseFeaturesExtractor]) -> None:
    """Have `params.network.name` mean a feature extractor, whose keyword arguments are the section's further keys.

    Raises `InputError` when the name is taken.
    """
    register_feature_extractor(name, network)


def register_observer(name: str, builder: Callable[[], AlgoObserver]) -> None:
    """Have `params.config.algo_observer` mean what `builder()` returns. Raises `InputError` when the name is taken."""
    OBSERVERS.register_builder(name, builder)


def _register_built_in() -> None:
    register_algorithm_builder("a2c_continuous", partial(Agent, algorithm="ppo", actions=spaces.Box))
    register_algorithm_builder("a2c_discrete", partial(Agent, algorithm="ppo", actions=spaces.Discrete))
    register_player_builder("a2c_continuous", partial(Player, algorithm="ppo"))
    register_player_builder("a2c_discrete", partial(Player, algorithm="ppo"))
    for name in algorithm_names():
        register_algorithm_builder(name, Agent)
        register_player_builder(name, Player)


_register_built_in()
