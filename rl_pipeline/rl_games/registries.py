"""Names of a runner's file: algorithms, their players, networks and observers.

`ObjectFactory` has the interface of rl_games' class of that name, on this project's registry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from rl_pipeline.algorithms.registration import algorithm_names
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.models.feature_extractors.registration import register_feature_extractor
from rl_pipeline.registry import Registry

if TYPE_CHECKING:
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

    from rl_pipeline.rl_games.observers import AlgoObserver


class ObjectFactory:
    """Builders by name, as rl_games has them.

    Args:
        kind: kind of the built objects, in the words of an error message.
        shared: factory to ask for names that this one lacks; None: no other. This one may replace its names for
            itself.
    """

    def __init__(self, kind: str, shared: ObjectFactory | None = None) -> None:
        self._builders: Registry[Callable[..., Any]] = Registry(kind)
        self._shared = shared

    @property
    def names(self) -> list[str]:
        """Names of all builders, sorted."""
        shared = self._shared.names if self._shared is not None else []
        return sorted({*self._builders, *shared})

    def register_builder(self, name: str, builder: Callable[..., Any] | str) -> None:
        """Add a builder: a function, or `module:function` to import it when it is first called.

        Raises:
            InputError: the name is taken, even by the same builder.
        """
        if name in self._builders:
            raise InputError(f"{self._builders.kind} {name!r} is registered already")
        self._builders.register(name, builder)

    def create(self, name: str, **kwargs: Any) -> Any:
        """Call the builder of `name` with the keyword arguments and return its result.

        Raises:
            UnknownNameError: there is no such builder; the message has the nearest name.
        """
        if name in self._builders:
            return self._builders.find(name)(**kwargs)
        if self._shared is not None and name in self._shared.names:
            return self._shared.create(name, **kwargs)
        raise UnknownNameError(self._builders.kind, name, self.names)


ALGORITHMS: Final = ObjectFactory("algorithm")
PLAYERS: Final = ObjectFactory("player")
OBSERVERS: Final = ObjectFactory("observer")


def register_algorithm_builder(name: str, builder: Callable[..., Any]) -> None:
    """Add an algorithm under the name that `params.algo.name` has.

    Args:
        name: of the algorithm.
        builder: called with `job=`; returns an object with `restore` and `train`, as `Agent` has them.

    Raises:
        InputError: the name is taken.
    """
    ALGORITHMS.register_builder(name, builder)


def register_player_builder(name: str, builder: Callable[..., Any]) -> None:
    """Add a player, which `--play` uses, under the name of its algorithm.

    Args:
        name: of the algorithm.
        builder: called with `job=`; returns an object with `restore` and `run`, as `Player` has them.

    Raises:
        InputError: the name is taken.
    """
    PLAYERS.register_builder(name, builder)


def register_network(name: str, network: type[BaseFeaturesExtractor]) -> None:
    """Add a feature extractor under the name that `params.network.name` has.

    Its keyword arguments are the further keys of the section.

    Raises:
        InputError: the name is taken.
    """
    register_feature_extractor(name, network)


def register_observer(name: str, builder: Callable[[], AlgoObserver]) -> None:
    """Add an observer under the name that `params.config.algo_observer` has.

    Raises:
        InputError: the name is taken.
    """
    OBSERVERS.register_builder(name, builder)


def _register_built_in() -> None:
    # By their places: agents, players and observers import this module, and PyTorch.
    agents, players = "rl_pipeline.rl_games.agent", "rl_pipeline.rl_games.player"
    observers = "rl_pipeline.rl_games.observers"
    OBSERVERS.register_builder("default", f"{observers}:DefaultAlgoObserver")
    OBSERVERS.register_builder("isaac", f"{observers}:IsaacAlgoObserver")

    # rl_games' names of PPO, then every algorithm of this project by its own.
    ALGORITHMS.register_builder("a2c_continuous", f"{agents}:make_continuous_a2c")
    ALGORITHMS.register_builder("a2c_discrete", f"{agents}:make_discrete_a2c")
    for name in ("a2c_continuous", "a2c_discrete"):
        PLAYERS.register_builder(name, f"{players}:make_a2c_player")
    for name in algorithm_names():
        ALGORITHMS.register_builder(name, f"{agents}:Agent")
        PLAYERS.register_builder(name, f"{players}:Player")


_register_built_in()
