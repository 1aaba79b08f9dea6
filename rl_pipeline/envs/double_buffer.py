"""Two halves of a batch that take turns: one is stepped while an agent decides for the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.observations import concatenate
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv

Step = tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]


class DoubleBufferedVecEnv(VecEnv):
    """N environments as two halves of N/2, of which the second, the leading one, may be a step ahead.

    A caller that ignores the halves steps all N at once. One that uses them runs ahead between two such steps:
    `lead_wait` returns the observations that the leading half has reached in the present step, and `lead_async` begins
    its next step with the actions for these, before the other half has finished the first. `step_wait` then returns
    the present step of all N; the `step_async` after it must get the actions with which the leading half has begun.

    The leading half is the second, so that a frame requested of environment 0 before a step is a frame of that step.
    (Double buffering as in Sample Factory: Petrenko et al. 2020, arXiv:2006.11751.)

    Args:
        following: environments 0 to N/2 - 1.
        leading: environments N/2 to N - 1.
    """

    def __init__(self, following: PlayerVecEnv, leading: PlayerVecEnv) -> None:
        self._following = following
        self._leading = leading
        self._half = following.num_envs
        self._ahead: Step | None = None
        self._under_way = False
        super().__init__(2 * self._half, following.observation_space, following.action_space)

    @property
    def following(self) -> PlayerVecEnv:
        """Environments 0 to N/2 - 1."""
        return self._following

    @property
    def players(self) -> list[int]:
        """Environment ids of all players."""
        return [*self._following.env.players, *self._leading.env.players]

    def lead_async(self, actions: NDArray[Any]) -> None:
        """Begin the next step of the leading half alone."""
        self._leading.step_async(actions)
        self._under_way = True

    def lead_wait(self) -> Any:
        """Wait for the step of the leading half; returns its observations, shape (N/2, *observation shape)."""
        self._ahead = self._leading.step_wait()
        self._under_way = False
        return self._ahead[0]

    def step_async(self, actions: NDArray[Any]) -> None:
        """Begin a step in every environment that has not begun it yet."""
        if not self._under_way:
            self.lead_async(actions[self._half :])
        self._following.step_async(actions[: self._half])

    def step_wait(self) -> Step:
        """Wait for the step, and join the results of both halves."""
        # The leading half first: it began first.
        if self._ahead is None:
            self.lead_wait()
        assert self._ahead is not None
        observations, rewards, dones, infos = self._ahead
        self._ahead = None
        # Joined in the order of the environments.
        others = self._following.step_wait()
        return (
            concatenate([others[0], observations]),
            np.concatenate([others[1], rewards]),
            np.concatenate([others[2], dones]),
            others[3] + infos,
        )

    def reset(self) -> Any:
        """Begin an episode in every environment, after the leading half has finished its step."""
        if self._under_way:
            self.lead_wait()
        self._ahead = None
        return concatenate([self._following.reset(), self._leading.reset()])

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Have the next `reset` begin at this seed: environment i gets seed + i."""
        seeds = list(self._following.seed(seed))
        first = seeds[0]
        assert first is not None
        return seeds + list(self._leading.seed(first + self._half))

    def close(self) -> None:
        """Close both halves; their players end with their simulation."""
        self._following.close()
        self._leading.close()

    def get_images(self) -> list[NDArray[np.uint8] | None]:
        """Return the frames of the last step; None where none was requested."""
        return self._following.get_images() + self._leading.get_images()

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """Return an attribute of the half of each environment."""
        return [half.get_attr(attr_name, 0)[0] for half in self._halves(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None) -> None:
        """Set an attribute of the halves of the environments."""
        for half in set(self._halves(indices)):
            half.set_attr(attr_name, value)

    def env_method(
        self, method_name: str, *args: Any, indices: int | Iterable[int] | None = None, **kwargs: Any
    ) -> list[Any]:
        """Call a method of the half of each environment."""
        return [half.env_method(method_name, *args, indices=0, **kwargs)[0] for half in self._halves(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: int | Iterable[int] | None = None) -> list[bool]:
        """Return True for `Monitor` only, see PlayerVecEnv."""
        return [half.env_is_wrapped(wrapper_class, 0)[0] for half in self._halves(indices)]

    def _halves(self, indices: int | Iterable[int] | None) -> list[PlayerVecEnv]:
        """Return the half of each of these environments."""
        halves = (self._following, self._leading)
        return [halves[index // self._half] for index in self._get_indices(indices)]
