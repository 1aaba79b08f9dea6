"""Restarts of the training's episodes: at every checkpoint, so that a resumed run continues bit for bit.

The state of a simulator cannot be saved: a Unity build offers no way to. A run therefore ends its episodes at every
checkpoint and starts new ones, with a seed that follows from the run's seed and the step. A run that was killed and
resumed does the same at the same step, and both continue alike.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from rl_pipeline.experiment.checkpoints.replay_buffer import end_episodes


def restart_episodes(model: BaseAlgorithm, seed: int | None = None) -> None:
    """Reset the training environments between two rollouts, and everything that the model keeps of an episode.

    That is the last observations, with and without normalisation, the exploration noise, and in the replay buffer the
    episodes that end here.

    Args:
        model: the model in training.
        seed: the run's seed, of which the environments get one for this step; None: their generators continue.
    """
    venv = model.get_env()
    assert venv is not None, "a model in training has environments"
    if seed is not None:
        venv.seed(episode_seed(seed, model.num_timesteps))
    # No transition may cross the restart.
    if isinstance(model, OffPolicyAlgorithm):
        end_episodes(model.replay_buffer)
    # The fields that the library's collect_rollouts starts from.
    model._last_obs = cast("np.ndarray[Any, Any]", venv.reset())
    model._last_episode_starts = np.ones(venv.num_envs, dtype=np.bool_)
    if (normalizer := model.get_vec_normalize_env()) is not None:
        model._last_original_obs = cast("np.ndarray[Any, Any]", normalizer.get_original_obs())
    # Exploration noise is drawn for an episode.
    if model.use_sde:
        cast("Any", getattr(model, "actor", model.policy)).reset_noise(venv.num_envs)
    if model.action_noise is not None:
        model.action_noise.reset()


def episode_seed(seed: int, timesteps: int) -> int:
    """Return the seed of the first episodes after a checkpoint, 0 to 2**31 - 1, far from those of other steps."""
    return int(np.random.SeedSequence((seed, timesteps)).generate_state(1)[0] >> 1)
