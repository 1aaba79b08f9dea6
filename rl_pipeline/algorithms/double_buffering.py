"""Rollouts in two halves: the policy decides for one while the players of the other work."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.utils import obs_as_tensor
from stable_baselines3.common.vec_env import VecEnv, VecTransposeImage

from rl_pipeline.algorithms.registration import AlgorithmEntry, algorithm_names, find_algorithm
from rl_pipeline.config.schema import Config
from rl_pipeline.envs.double_buffer import DoubleBufferedVecEnv
from rl_pipeline.envs.observations import take_rows
from rl_pipeline.envs.unwrapping import innermost
from rl_pipeline.errors import InputError

KEY: Final = "training.double_buffer"

Array = NDArray[Any]


def check_double_buffer(config: Config, entry: AlgorithmEntry) -> None:
    """Raise InputError when `training.double_buffer` is asked for with what cannot be done in halves."""
    if not config.training.double_buffer:
        return
    if not _collects_plainly(entry):
        able = ", ".join(name for name in algorithm_names() if _collects_plainly(find_algorithm(name)))
        raise InputError(f"{KEY}: {entry.name} does not collect its rollouts in halves; those that can are {able}")
    if config.algorithm.parameters.get("use_sde"):
        raise InputError(f"{KEY}: the noise of algorithm.parameters.use_sde is drawn for all environments at once")
    if wrappers := [name for name, settings in config.wrappers.items() if settings not in (None, False)]:
        raise InputError(
            f"{KEY}: expected no wrappers, found {', '.join(wrappers)}: they need the observations of all "
            "environments before any can act"
        )
    if config.training.self_play.enabled:
        raise InputError(f"{KEY}: training.self_play has opponents act for all environments at once; turn one off")
    environments, worlds = config.simulation.n_environments, config.simulation.worlds_per_player
    if environments % (2 * worlds):
        multiple = "an even number" if worlds == 1 else f"a multiple of {2 * worlds} (two halves of whole players)"
        raise InputError(f"{KEY}: expected simulation.n_environments to be {multiple}, found {environments}")


def double_buffered(algorithm: type[BaseAlgorithm]) -> type[BaseAlgorithm]:
    """The algorithm with rollouts in halves; everything else, its name too, is as it was."""
    return type(algorithm.__name__, (_DoubleBufferedRollouts, algorithm), {})


def _collects_plainly(entry: AlgorithmEntry) -> bool:
    try:
        return getattr(entry.load(), "collect_rollouts", None) is OnPolicyAlgorithm.collect_rollouts
    except InputError:  # of another algorithm, whose package is not installed
        return False


class _Decision(NamedTuple):
    """What the policy decided for some environments: actions, values and log-probabilities, one row each."""

    actions: torch.Tensor
    values: torch.Tensor
    log_probs: torch.Tensor

    def join(self, others: _Decision) -> _Decision:
        return _Decision(*(torch.cat(pair) for pair in zip(self, others, strict=True)))


class _DoubleBufferedRollouts(OnPolicyAlgorithm):
    """`OnPolicyAlgorithm.collect_rollouts` with one half of the environments a step ahead.

    The rows of the buffer are what they are without: all environments at one step. Only the random numbers that
    actions are sampled with are drawn in another order, half by half.
    """

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Fill the buffer with `n_rollout_steps` steps of all environments; False when the callback ends it."""
        halves = innermost(env)
        assert isinstance(halves, DoubleBufferedVecEnv), "made by Environments where training.double_buffer is set"
        followers, leaders = np.split(np.arange(env.num_envs), 2)
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()  # which may begin other episodes
        observations: Any = self._last_obs
        begins = cast("Array", self._last_episode_starts)
        leading = self._decide(take_rows(observations, leaders))
        for step in range(n_rollout_steps):
            decision = self._decide(take_rows(observations, followers)).join(leading)
            actions = decision.actions.cpu().numpy()
            # The leading half has begun this step already, but for the first of the rollout.
            env.step_async(self._in_bounds(actions))
            if step + 1 < n_rollout_steps:
                leading = self._decide(_as_seen_through(env, halves.lead_wait()))
                halves.lead_async(self._in_bounds(leading.actions.cpu().numpy()))
            new_obs, rewards, dones, infos = env.step_wait()
            self.num_timesteps += env.num_envs
            callback.update_locals(locals())
            if not callback.on_step():
                return False
            self._update_info_buffer(infos, dones)
            self._bootstrap(rewards, dones, infos)
            shaped = actions.reshape(-1, 1) if isinstance(self.action_space, spaces.Discrete) else actions
            rollout_buffer.add(observations, shaped, rewards, begins, decision.values, decision.log_probs)
            observations, begins = new_obs, dones
            self._last_obs, self._last_episode_starts = observations, begins
        with torch.no_grad():
            values = self.policy.predict_values(obs_as_tensor(observations, self.device))
        rollout_buffer.compute_returns_and_advantage(last_values=values, dones=begins)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def _decide(self, observations: Any) -> _Decision:
        with torch.no_grad():
            return _Decision(*self.policy(obs_as_tensor(observations, self.device)))

    def _in_bounds(self, actions: Array) -> Array:
        """Actions as the environments take them."""
        if not isinstance(self.action_space, spaces.Box):
            return actions
        if self.policy.squash_output:
            return np.asarray(self.policy.unscale_action(actions))
        return np.clip(actions, self.action_space.low, self.action_space.high)

    def _bootstrap(self, rewards: Array, dones: NDArray[np.bool_], infos: list[dict[str, Any]]) -> None:
        """Add the value of the last observation to the reward where an episode was cut off, not ended."""
        for index in np.flatnonzero(dones).tolist():
            if infos[index].get("TimeLimit.truncated", False):
                last = self.policy.obs_to_tensor(infos[index]["terminal_observation"])[0]
                with torch.no_grad():
                    rewards[index] += self.gamma * self.policy.predict_values(last)[0].item()


def _as_seen_through(env: VecEnv, observations: Any) -> Any:
    """Observations in the one wrapper that changes them: Stable-Baselines3 puts it around images by itself."""
    if isinstance(env, VecTransposeImage):
        return env.transpose_observations(observations)
    return observations
