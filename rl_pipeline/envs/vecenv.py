"""Types of vector environments by name: what makes N environments of a kind, and the contract of a simulator's own.

`env_configurations` says of which type an environment is; `create_vec_env` makes it in these two steps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

import gymnasium
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.env_configurations import PLAYER, configurations
from rl_pipeline.errors import InputError, UnknownNameError


class IVecEnv:
    """A simulator of N environments with an interface of its own; a subclass needs nothing of Gymnasium but spaces.

    Environments whose episode has ended begin another one within the same step.
    """

    def reset(self) -> Any:
        """Begin an episode in every environment. Returns observations, shape (N, *observation shape)."""
        raise NotImplementedError

    def step(self, actions: NDArray[Any]) -> tuple[Any, NDArray[Any], NDArray[Any], dict[str, NDArray[Any]]]:
        """Take a step in every environment.

        Args:
            actions: shape (N, *action shape).

        Returns:
            Observations, shape (N, *observation shape), of the next episode where one has ended; rewards, (N,) float;
            dones, (N,) bool; and infos, arrays of N rows by name. Of these the agent heeds `time_outs`, (N,) bool,
            where the end is that of the time and not of the task, and `final_observation`, what the ended episodes
            observed last. Without it, their last but one observation stands in where the time was out.
        """
        raise NotImplementedError

    def get_env_info(self) -> dict[str, spaces.Space[Any]]:
        """The `observation_space` and `action_space` of one environment."""
        raise NotImplementedError

    def seed(self, seed: int) -> None:
        """Have the next `reset` begin from this seed; a simulator without chance has nothing to do."""

    def render(self) -> NDArray[Any] | None:
        """A picture of environment 0, shape (height, width, 3) uint8; None: it draws none."""
        return None

    def get_number_of_agents(self) -> int:
        """Agents of one environment; more than one are not supported yet."""
        return 1

    def has_action_masks(self) -> bool:
        """Tell whether actions can be invalid; ignored, as in rl_games without `use_action_masks`."""
        return False

    def close(self) -> None:
        """Free what the simulator holds."""


Maker: TypeAlias = Callable[..., IVecEnv | VecEnv]

vecenv_config: Final[dict[str, Maker]] = {}


def register(config_name: str, func: Maker) -> None:
    """Add a type of vector environments.

    Args:
        config_name: name of the type, such as `POINT_MASS`.
        func: called as `func(env_name, num_actors, **env_config)`, it makes an `IVecEnv` or a `VecEnv` of
            Stable-Baselines3; `env_configurations.configurations[env_name]["env_creator"]` is the creator.

    `GYMNASIUM` and `RAY`, which are built in, may be replaced.

    Raises:
        InputError: the name is taken.
    """
    if config_name == PLAYER or vecenv_config.get(config_name, _gymnasium) is not _gymnasium:
        raise InputError(f"vecenv type {config_name!r} is registered already")
    vecenv_config[config_name] = func


def create_vec_env(config_name: str, num_actors: int, **kwargs: Any) -> IVecEnv | VecEnv:
    """The environments of a name in `env_configurations`.

    Args:
        config_name: name of the environment.
        num_actors: how many there are to be, N.
        kwargs: keyword arguments of the environment.

    Raises:
        UnknownNameError: there is no such environment, or no such type.
    """
    if config_name not in configurations:
        raise UnknownNameError("environment", config_name, configurations)
    configuration = configurations[config_name]
    kind = configuration["vecenv_type"]
    if kind not in vecenv_config:
        raise UnknownNameError("vecenv type", kind, (*vecenv_config, PLAYER), where=f"environment {config_name!r}")
    arguments = {**configuration.get("default_env_config", {}), **kwargs}
    return vecenv_config[kind](config_name, num_actors, **arguments)


def _gymnasium(config_name: str, num_actors: int, **kwargs: Any) -> VecEnv:
    """Make N environments of Gymnasium's interface, stepped one after another in this process, episodes monitored.

    `seed` and `ray_config`, which rl_games' own RAY type keeps from the creator, are kept from it here too: the vector
    environment is seeded as a whole, and Ray is not started.
    """
    arguments = {key: value for key, value in kwargs.items() if key not in ("seed", "ray_config")}
    return make_vec_env(partial(_one_gymnasium, config_name, arguments), n_envs=num_actors)


def _one_gymnasium(config_name: str, arguments: dict[str, Any]) -> gymnasium.Env[Any, Any]:
    env = configurations[config_name]["env_creator"](**arguments)
    if not isinstance(env, gymnasium.Env):
        raise InputError(
            f"environment {config_name!r}: expected its env_creator to make an environment of Gymnasium, found "
            f"{type(env).__name__}; another interface needs an IVecEnv, registered as a vecenv type"
        )
    return env


register("GYMNASIUM", _gymnasium)
register("RAY", _gymnasium)
