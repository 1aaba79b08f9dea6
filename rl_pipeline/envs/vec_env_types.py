"""Types of vector environments by name, and the interface of a simulator of many environments.

`CONFIGURATIONS` of registration.py says of which type an environment is; `create_vec_env` makes it.
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

from rl_pipeline.envs.registration import CONFIGURATIONS, PLAYER, AssignableRegistry
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
            dones, (N,) bool; and infos, arrays of N rows by name. The agent uses two infos: `time_outs`, (N,) bool,
            True where an episode ended by time and not by the task; and `final_observation`, the last observations of
            the ended episodes. Without it, their last but one observation is used where an episode ended by time.
        """
        raise NotImplementedError

    def get_env_info(self) -> dict[str, spaces.Space[Any]]:
        """Return the `observation_space` and `action_space` of one environment."""
        raise NotImplementedError

    def seed(self, seed: int) -> None:
        """Have the next `reset` begin from this seed; a simulator without chance has nothing to do."""

    def render(self) -> NDArray[Any] | None:
        """Return a picture of environment 0, shape (height, width, 3) uint8; None: it draws none."""
        return None

    def get_number_of_agents(self) -> int:
        """Return the number of agents of one environment; more than one are not supported yet."""
        return 1

    def has_action_masks(self) -> bool:
        """Return True if actions can be invalid; ignored, as in rl_games without `use_action_masks`."""
        return False

    def close(self) -> None:
        """Free the resources of the simulator."""


MakeVecEnv: TypeAlias = Callable[..., IVecEnv | VecEnv]


def make_gymnasium_vec_env(config_name: str, num_actors: int, **kwargs: Any) -> VecEnv:
    """Make N environments of Gymnasium's interface, stepped one after another in this process, episodes monitored.

    `seed` and `ray_config` are kept from the creator, as in rl_games' own RAY type: the vector environment is seeded as
    a whole, and Ray is not started.
    """
    arguments = {key: value for key, value in kwargs.items() if key not in ("seed", "ray_config")}
    return make_vec_env(partial(_make_gymnasium_env, config_name, arguments), n_envs=num_actors)


def _make_gymnasium_env(config_name: str, arguments: dict[str, Any]) -> gymnasium.Env[Any, Any]:
    env = CONFIGURATIONS[config_name]["env_creator"](**arguments)
    if not isinstance(env, gymnasium.Env):
        raise InputError(
            f"environment {config_name!r}: expected its env_creator to make an environment of Gymnasium, found "
            f"{type(env).__name__}; another interface needs an IVecEnv, registered as a vecenv type"
        )
    return env


VEC_ENV_TYPES: Final[AssignableRegistry[MakeVecEnv]] = AssignableRegistry("vecenv type")
VEC_ENV_TYPES.register("GYMNASIUM", make_gymnasium_vec_env)
VEC_ENV_TYPES.register("RAY", make_gymnasium_vec_env)


def register_vec_env_type(config_name: str, func: MakeVecEnv) -> None:
    """Add a type of vector environments.

    Args:
        config_name: name of the type, such as `POINT_MASS`.
        func: called as `func(env_name, num_actors, **env_config)`, it makes an `IVecEnv` or a `VecEnv` of
            Stable-Baselines3; `CONFIGURATIONS[env_name]["env_creator"]` is the creator.

    `GYMNASIUM` and `RAY`, which are built in, may be replaced.

    Raises:
        InputError: the name is taken.
    """
    # A replacement counts as taken.
    built_in = VEC_ENV_TYPES.get(config_name) is make_gymnasium_vec_env
    if config_name == PLAYER or (config_name in VEC_ENV_TYPES and not built_in):
        raise InputError(f"vecenv type {config_name!r} is registered already")
    VEC_ENV_TYPES[config_name] = func


def create_vec_env(config_name: str, num_actors: int, **kwargs: Any) -> IVecEnv | VecEnv:
    """Make the environments of a name in `CONFIGURATIONS`.

    Args:
        config_name: name of the environment.
        num_actors: number of environments, N.
        kwargs: keyword arguments of the environment.

    Raises:
        UnknownNameError: there is no such environment, or no such type.
    """
    # First the configuration, then its type.
    configuration = CONFIGURATIONS.find(config_name, where="")
    kind = configuration["vecenv_type"]
    if kind not in VEC_ENV_TYPES:
        raise UnknownNameError("vecenv type", kind, (*VEC_ENV_TYPES, PLAYER), where=f"environment {config_name!r}")
    arguments = {**configuration.get("default_env_config", {}), **kwargs}
    return VEC_ENV_TYPES[kind](config_name, num_actors, **arguments)
