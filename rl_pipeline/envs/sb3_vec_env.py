"""Adapter of a batch of environments to the VecEnv of Stable-Baselines3."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.observations import take_rows
from rl_pipeline.envs.vector_env import PlayerVectorEnv


class BatchedVecEnv(VecEnv):
    """A VecEnv without an object for each environment: attributes and methods are those of `env`, for all of them."""

    env: Any

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """Return an attribute of `env`, once for each environment."""
        return [getattr(self.env, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None) -> None:
        """Set an attribute of `env`, and so of all environments."""
        setattr(self.env, attr_name, value)

    def env_method(
        self, method_name: str, *args: Any, indices: int | Iterable[int] | None = None, **kwargs: Any
    ) -> list[Any]:
        """Call a method of `env`, once for each environment."""
        return [getattr(self.env, method_name)(*args, **kwargs) for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: int | Iterable[int] | None = None) -> list[bool]:
        """Return True for `Monitor` only: no environment has a Gymnasium wrapper, and the adapters monitor episodes."""
        from stable_baselines3.common.monitor import Monitor

        return [wrapper_class is Monitor for _ in self._get_indices(indices)]


class PlayerVecEnv(BatchedVecEnv):
    """Adapter of a `PlayerVectorEnv`: the same arrays, and a dict of infos for each environment whose episode ended.

    At the end of an episode its info has `terminal_observation`, `TimeLimit.truncated`, `episode` (return `r`, length
    `l`, seconds since the start `t`), the infos of the task, and `player_lost` or `invalid_state` where that was the
    reason.
    """

    env: PlayerVectorEnv

    def __init__(self, env: PlayerVectorEnv) -> None:
        self.env = env
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
        self._began = time.time()
        self._returns = np.zeros(env.num_envs)
        self._lengths = np.zeros(env.num_envs, np.int64)
        self._seed: int | None = None

    @property
    def players(self) -> list[int]:
        """Environment ids of the players."""
        return self.env.players

    def reset(self) -> Any:
        """Begin an episode in every environment."""
        self._returns[:] = 0.0
        self._lengths[:] = 0
        observation, _ = self.env.reset(seed=self._seed)
        self._seed = None
        return observation

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Have the next `reset` begin at this seed: environment i gets seed + i."""
        self._seed = int(np.random.randint(2**31)) if seed is None else seed
        return [self._seed + index for index in range(self.num_envs)]

    def step_async(self, actions: NDArray[Any]) -> None:
        """Begin a step in every environment."""
        self.env.step_async(actions)

    def step_wait(
        self,
    ) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Wait for the step that `step_async` began; rewards are float32."""
        observation, reward, terminated, truncated, info = self.env.step_wait()
        done = terminated | truncated
        # Most steps end no episode: their infos are empty.
        self._returns += reward
        self._lengths += 1
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for index in np.flatnonzero(done).tolist():
            infos[index] = self._final_info(index, info, bool(truncated[index] and not terminated[index]))
        return observation, reward.astype(np.float32), done, infos

    def close(self) -> None:
        """Close the environment; its players end with their simulation."""
        self.env.close()

    def get_images(self) -> list[NDArray[np.uint8] | None]:
        """Return the frames of the last step; None where none was requested."""
        return [self.env.frame(index) for index in range(self.num_envs)]

    def _final_info(self, index: int, info: dict[str, Any], cut_off: bool) -> dict[str, Any]:
        """Return the info of an environment whose episode has ended, and begin to count the next one."""
        # Reports of the task, and the causes that apply to this environment.
        final = {key: value[index] for key, value in info["final_info"].items()}
        for cause in ("player_lost", "invalid_state"):
            if not final.get(cause, True):
                del final[cause]
        # The record of the episode, as `Monitor` makes it.
        episode = {
            "r": round(float(self._returns[index]), 6),
            "l": int(self._lengths[index]),
            "t": round(time.time() - self._began, 6),
        }
        self._returns[index] = 0.0
        self._lengths[index] = 0
        return final | {
            "episode": episode,
            "terminal_observation": take_rows(info["final_obs"], index),
            "TimeLimit.truncated": cut_off,
        }
