"""The algorithms by name: nothing is imported before one is asked for."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from rl_pipeline.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

ANY_ACTION_SPACE = ("Box", "Discrete", "MultiDiscrete", "MultiBinary")


@dataclass(frozen=True)
class AlgorithmEntry:
    """A registered algorithm.

    Attributes:
        name: canonical name, which is also the folder under `experiments/<environment>/`.
        target: where the class is, as `module:Class`.
        action_spaces: names of the Gymnasium action spaces that it can act in.
    """

    name: str
    target: str
    action_spaces: tuple[str, ...] = ANY_ACTION_SPACE

    def load(self) -> type[BaseAlgorithm]:
        """Import the class. Raises `InputError` when there is no such module or class."""
        module, _, name = self.target.partition(":")
        try:
            return cast("type[BaseAlgorithm]", getattr(importlib.import_module(module), name))
        except (ImportError, AttributeError) as error:
            raise InputError(f"algorithm {self.name!r}: cannot import {self.target}: {error}") from error


_entries: dict[str, AlgorithmEntry] = {}
_names: dict[str, str] = {}


def _folded(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def register_algorithm(
    name: str, target: str, *, action_spaces: tuple[str, ...] = ANY_ACTION_SPACE, aliases: tuple[str, ...] = ()
) -> None:
    """Make the class `module:Class` available as `algorithm.name`, in any case, with or without `_` and `-`.

    Raises `InputError` when a name is taken by another class.
    """
    for spelling in (name, *aliases):
        taken = _names.get(_folded(spelling))
        if taken is not None and _entries[taken].target != target:
            raise InputError(f"algorithm {spelling!r} is registered already, as {_entries[taken].target}")
    _entries[name] = AlgorithmEntry(name, target, action_spaces)
    for spelling in (name, *aliases):
        _names[_folded(spelling)] = name


def algorithm_names() -> list[str]:
    """The canonical names, sorted."""
    return sorted(_entries)


def find_algorithm(name: str) -> AlgorithmEntry:
    """The algorithm of a name in any spelling. Raises `UnknownNameError` naming the nearest."""
    try:
        return _entries[_names[_folded(name)]]
    except KeyError:
        raise UnknownNameError("algorithm", name, _entries, where="algorithm.name") from None


register_algorithm("ppo", "stable_baselines3:PPO")
register_algorithm("a2c", "stable_baselines3:A2C")
register_algorithm("sac", "stable_baselines3:SAC", action_spaces=("Box",))
register_algorithm("td3", "stable_baselines3:TD3", action_spaces=("Box",))
register_algorithm("ddpg", "stable_baselines3:DDPG", action_spaces=("Box",))
register_algorithm("dqn", "stable_baselines3:DQN", action_spaces=("Discrete",))
register_algorithm("tqc", "sb3_contrib:TQC", action_spaces=("Box",))
register_algorithm("trpo", "sb3_contrib:TRPO")
register_algorithm("recurrent_ppo", "sb3_contrib:RecurrentPPO", aliases=("ppo_lstm",))
register_algorithm("crossq", "sb3_contrib:CrossQ", action_spaces=("Box",))
register_algorithm("qrdqn", "sb3_contrib:QRDQN", action_spaces=("Discrete",))
register_algorithm("ars", "rl_pipeline.algorithms.random_search:ARS", action_spaces=("Box", "Discrete"))
