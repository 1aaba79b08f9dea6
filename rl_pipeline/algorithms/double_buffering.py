"""Double-buffered rollouts: the policy acts for one half of the environments while players simulate the other half."""

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
    """Raise `InputError` if `training.double_buffer` is set and a setting rules it out."""
    if not config.training.double_buffer:
        return
    # Algorithm: only the rollouts of Stable-Baselines3's on-policy algorithms are replaced.
    if not _has_plain_rollouts(entry):
        able = ", ".join(name for name in algorithm_names() if _has_plain_rollouts(find_algorithm(name)))
        raise InputError(f"{KEY}: {entry.name} does not collect its rollouts in halves; those that can are {able}")
    # Settings that need the observations of all environments at once.
    if config.algorithm.parameters.get("use_sde"):
        raise InputError(f"{KEY}: the noise of algorithm.parameters.use_sde is drawn for all environments at once")
    if wrappers := [name for name, settings in config.wrappers.items() if settings not in (None, False)]:
        raise InputError(
            f"{KEY}: expected no wrappers, found {', '.join(wrappers)}: they need the observations of all "
            "environments before any can act"
        )
    if config.training.self_play.enabled:
        raise InputError(f"{KEY}: training.self_play has opponents act for all environments at once; turn one off")
    # Halves of whole players.
    environments, worlds = config.simulation.n_environments, config.simulation.worlds_per_player
    if environments % (2 * worlds):
        multiple = "an even number" if worlds == 1 else f"a multiple of {2 * worlds} (two halves of whole players)"
        raise InputError(f"{KEY}: expected simulation.n_environments to be {multiple}, found {environments}")


def double_buffered(algorithm: type[BaseAlgorithm]) -> type[BaseAlgorithm]:
    """Return a subclass of the algorithm, of the same name, with double-buffered rollouts."""
    return type(algorithm.__name__, (_DoubleBufferedRollouts, algorithm), {})


def _has_plain_rollouts(entry: AlgorithmEntry) -> bool:
    """Return True if the algorithm collects rollouts by `OnPolicyAlgorithm.collect_rollouts` itself."""
    try:
        return getattr(entry.load(), "collect_rollouts", None) is OnPolicyAlgorithm.collect_rollouts
    except InputError:  # the package of another algorithm is not installed
        return False


class _Decision(NamedTuple):
    """Output of the policy for K environments: actions, values and log-probabilities, K rows each."""

    actions: torch.Tensor
    values: torch.Tensor
    log_probs: torch.Tensor

    def join(self, others: _Decision) -> _Decision:
        return _Decision(*(torch.cat(pair) for pair in zip(self, others, strict=True)))


class _DoubleBufferedRollouts(OnPolicyAlgorithm):
    """Mix-in: `OnPolicyAlgorithm.collect_rollouts` with one half of the environments a step ahead.

    The buffer holds the same rows: all environments at one step. Only the random numbers of sampled actions are drawn
    in another order, half by half.
    """

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Fill the buffer with `n_rollout_steps` steps of all environments; return False if a callback stops it."""
        halves = innermost(env)
        assert isinstance(halves, DoubleBufferedVecEnv), "made by Environments where training.double_buffer is set"
        followers, leaders = np.split(np.arange(env.num_envs), 2)
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()  # may reset environments
        observations: Any = self._last_obs
        begins = cast("Array", self._last_episode_starts)
        # The leading half starts first and stays one step ahead.
        leading = self._decide(take_rows(observations, leaders))
        for step in range(n_rollout_steps):
            decision = self._decide(take_rows(observations, followers)).join(leading)
            actions = decision.actions.cpu().numpy()
            # The leading half is in this step already, except in the first one of the rollout.
            env.step_async(self._fit_bounds(actions))
            # While the followers simulate, choose the next actions of the leaders and send them.
            if step + 1 < n_rollout_steps:
                leading = self._decide(_transpose_images(env, halves.lead_wait()))
                halves.lead_async(self._fit_bounds(leading.actions.cpu().numpy()))
            # All environments have completed the step: bookkeeping as in Stable-Baselines3.
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
        # Advantages need the value of the observations after the last step.
        with torch.no_grad():
            values = self.policy.predict_values(obs_as_tensor(observations, self.device))
        rollout_buffer.compute_returns_and_advantage(last_values=values, dones=begins)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def _decide(self, observations: Any) -> _Decision:
        with torch.no_grad():
            return _Decision(*self.policy(obs_as_tensor(observations, self.device)))

    def _fit_bounds(self, actions: Array) -> Array:
        """Return actions scaled or clipped to the bounds of the action space."""
        if not isinstance(self.action_space, spaces.Box):
            return actions
        if self.policy.squash_output:
            return np.asarray(self.policy.unscale_action(actions))
        return np.clip(actions, self.action_space.low, self.action_space.high)

    def _bootstrap(self, rewards: Array, dones: NDArray[np.bool_], infos: list[dict[str, Any]]) -> None:
        """Add the value of the last observation to the reward of truncated episodes."""
        for index in np.flatnonzero(dones).tolist():
            if infos[index].get("TimeLimit.truncated", False):
                last = self.policy.obs_to_tensor(infos[index]["terminal_observation"])[0]
                with torch.no_grad():
                    rewards[index] += self.gamma * self.policy.predict_values(last)[0].item()


def _transpose_images(env: VecEnv, observations: Any) -> Any:
    """Apply the only wrapper that changes observations: Stable-Baselines3 adds it for images by itself."""
    if isinstance(env, VecTransposeImage):
        return env.transpose_observations(observations)
    return observations
