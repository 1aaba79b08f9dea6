"""Registry of the algorithms; importing it loads no algorithm and no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from rl_pipeline.registry import Registry, import_target

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

ANY_ACTION_SPACE: Final = ("Box", "Discrete", "MultiDiscrete", "MultiBinary")


@dataclass(frozen=True)
class AlgorithmEntry:
    """A registered algorithm. Two entries are equal if they have the same class.

    Attributes:
        name: canonical name, which is also the folder under `experiments/<environment>/`.
        target: import path of the class, as `module:Class`.
        action_spaces: names of the Gymnasium action spaces that the algorithm supports.
    """

    name: str = field(compare=False)
    target: str
    action_spaces: tuple[str, ...] = field(default=ANY_ACTION_SPACE, compare=False)

    def __str__(self) -> str:
        return self.target

    def load(self) -> type[BaseAlgorithm]:
        """Import the class. Raises `InputError` if the module or class does not exist."""
        return cast("type[BaseAlgorithm]", import_target(self.target, f"algorithm {self.name!r}"))


ALGORITHMS: Final[Registry[AlgorithmEntry]] = Registry("algorithm", "algorithm.name", folded=True)


def register_algorithm(
    name: str, target: str, *, action_spaces: tuple[str, ...] = ANY_ACTION_SPACE, aliases: tuple[str, ...] = ()
) -> None:
    """Register a class under `algorithm.name`. Names match in any case, with or without `_` and `-`.

    Args:
        name: canonical name.
        target: import path of a subclass of Stable-Baselines3's `BaseAlgorithm`, as `module:Class`.
        action_spaces: names of the Gymnasium action spaces that the algorithm supports.
        aliases: further names.

    Raises:
        InputError: a name belongs to another class already.
    """
    # The class is imported when a run uses it.
    ALGORITHMS.register(name, AlgorithmEntry(name, target, action_spaces), aliases=aliases)


def algorithm_names() -> list[str]:
    """Return the canonical names, sorted."""
    return sorted(ALGORITHMS)


def find_algorithm(name: str) -> AlgorithmEntry:
    """Return the algorithm of a name in any spelling. Raises `UnknownNameError` with the nearest name."""
    return ALGORITHMS.find(name)


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
# ARS of this package can be resumed exactly; see random_search.py.
register_algorithm("ars", "rl_pipeline.algorithms.random_search:ARS", action_spaces=("Box", "Discrete"))
