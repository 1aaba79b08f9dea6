"""Adapter of a simulator of many environments (`IVecEnv`) to the VecEnv of Stable-Baselines3."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rl_pipeline.envs.sb3_vec_env import BatchedVecEnv
from rl_pipeline.envs.vec_env_types import IVecEnv
from rl_pipeline.errors import InputError

logger = logging.getLogger(__name__)


class SimulatorVecEnv(BatchedVecEnv):
    """Adapter of an `IVecEnv`: the same arrays, with a dict of infos for each environment.

    Args:
        env: the simulator.
        num_envs: its number of environments, N.
        name: its name in errors.

    Raises:
        InputError: it breaks the contract of `IVecEnv`.
    """

    env: IVecEnv

    def __init__(self, env: IVecEnv, num_envs: int, name: str) -> None:
        self.env = env
        self._name = name
        super().__init__(num_envs, *_spaces(env, name))
        if (agents := _call(env, "get_number_of_agents", default=1)) != 1:
            raise InputError(f"environment {name!r}: expected one agent, found {agents}; several are not supported yet")
        self._began = time.monotonic()
        self._returns = np.zeros(num_envs)
        self._lengths = np.zeros(num_envs, np.int64)

    def reset(self) -> Any:
        """Begin an episode in every environment."""
        self._returns[:] = 0.0
        self._lengths[:] = 0
        self._last = self._checked("reset", self.env.reset())
        return self._last

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Have the next `reset` begin from this seed, a random one if it is None.

        Simulators written for rl_games may keep the seed that they were made with under the name of the method.
        """
        # Gymnasium's convention first; rl_games' simulators may have an attribute of that name.
        chosen = int(np.random.randint(2**31)) if seed is None else seed
        if callable(getattr(self.env, "seed", None)):
            self.env.seed(chosen)
        elif getattr(self.env, "seed", None) is None:
            logger.warning(
                "environment %r cannot be seeded: its `seed` is no method, and env_config gives none; its episodes are "
                "not repeatable",
                self._name,
            )
        return [chosen] * self.num_envs

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for `step_wait`: the simulator takes its step in one go."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Take the step; infos as in `PlayerVecEnv`."""
        observations, rewards, dones, extras = self.env.step(self._actions)
        observations = self._checked("step", observations)
        rewards, dones = np.asarray(rewards, np.float32), np.asarray(dones, np.bool_)
        self._returns += rewards
        self._lengths += 1
        infos = _infos_by_environment(extras, self.num_envs)
        for index in np.flatnonzero(dones).tolist():
            self._note_end(infos[index], index)
        self._last = observations
        return observations, rewards, dones, infos

    def close(self) -> None:
        """Close the simulator."""
        _call(self.env, "close")

    def get_images(self) -> list[NDArray[np.uint8] | None]:
        """Return the simulator's picture of environment 0, and None for the others."""
        return [_call(self.env, "render"), *[None] * (self.num_envs - 1)]

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """Return an attribute of the simulator, None if it has no such, once for each environment."""
        return [getattr(self.env, attr_name, None) for _ in self._get_indices(indices)]

    def _note_end(self, info: dict[str, Any], index: int) -> None:
        """Complete the info of an environment whose episode has ended, and begin to count the next one."""
        info["terminal_observation"] = info.pop("final_observation", self._last[index])
        info["TimeLimit.truncated"] = bool(info.get("time_outs", info.get("TimeLimit.truncated", False)))
        seconds = round(time.monotonic() - self._began, 6)
        info["episode"] = {"r": float(self._returns[index]), "l": int(self._lengths[index]), "t": seconds}
        self._returns[index] = 0.0
        self._lengths[index] = 0

    def _checked(self, method: str, observations: Any) -> NDArray[Any]:
        """Return the observations as an array; another shape than that of the space would fail far from here."""
        array = np.array(observations, self.observation_space.dtype)
        expected = (self.num_envs, *(self.observation_space.shape or ()))
        if array.shape != expected:
            raise InputError(
                f"environment {self._name!r}: {method} gave observations of shape {array.shape}, expected {expected}"
            )
        return array


def _call(env: IVecEnv, method: str, default: Any = None) -> Any:
    """Call a method that simulators written for rl_games may lack; returns `default` if there is none."""
    found = getattr(env, method, None)
    return found() if callable(found) else default


def _infos_by_environment(extras: Any, num_envs: int) -> list[dict[str, Any]]:
    """Turn arrays by name into a dict for each environment; rl_games' own RayVecEnv returns such dicts itself."""
    if isinstance(extras, Mapping):
        return [{key: values[index] for key, values in extras.items()} for index in range(num_envs)]
    return [dict(info) for info in extras]


def _spaces(env: IVecEnv, name: str) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    info = env.get_env_info()
    try:
        observation, action = info["observation_space"], info["action_space"]
    except (KeyError, TypeError):
        raise InputError(
            f"environment {name!r}: get_env_info gave {info!r}, expected observation_space and action_space"
        ) from None
    if not isinstance(observation, spaces.Box):
        raise InputError(f"environment {name!r}: expected a Box of observations, found {observation}")
    return observation, action
