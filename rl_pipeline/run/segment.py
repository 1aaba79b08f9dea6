"""The run between two checkpoints: each segment begins in new episodes, so that a resumed run begins as this one does.

The state of a simulator is not ours to save: of a Unity build nobody can. A run therefore ends its episodes at every
checkpoint and begins others, with a seed that follows from the run's seed and the step. A run that was killed and
resumed does the same there, and both go on alike, bit for bit.
"""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.type_aliases import TrainFreq, TrainFrequencyUnit

from rl_pipeline.experiment.checkpoints.replay_buffer import end_episodes

SHORT_ROLLOUT: Final = 16
"""Steps that a signal may wait: a second or two where a step takes a tenth of a second."""


def has_short_rollouts(model: BaseAlgorithm) -> bool:
    """Return True if a signal can wait for the end of a rollout and its update.

    Then the step at which it came is learned from, and the counters are those of an undisturbed run.
    """
    if not isinstance(model, OffPolicyAlgorithm):
        return False
    frequency, unit = cast("TrainFreq", model.train_freq)
    return unit == TrainFrequencyUnit.STEP and frequency <= SHORT_ROLLOUT


def begin_segment(model: BaseAlgorithm, seed: int) -> None:
    """Restart the episodes at the seed of this step, as every run does at a checkpoint."""
    venv = model.get_env()
    assert venv is not None, "a model in training has environments"
    venv.seed(segment_seed(seed, model.num_timesteps))
    restart_episodes(model)


def restart_episodes(model: BaseAlgorithm) -> None:
    """Reset the training environments of `model` between two rollouts, and all that it keeps of an episode.

    That is the last observations, with and without normalisation, the exploration noise, and in the replay buffer the
    episodes that do not go on.
    """
    venv = model.get_env()
    assert venv is not None, "a model in training has environments"
    if isinstance(model, OffPolicyAlgorithm):
        end_episodes(model.replay_buffer)
    model._last_obs = cast("np.ndarray[Any, Any]", venv.reset())
    model._last_episode_starts = np.ones(venv.num_envs, dtype=np.bool_)
    if (normalizer := model.get_vec_normalize_env()) is not None:
        model._last_original_obs = cast("np.ndarray[Any, Any]", normalizer.get_original_obs())
    if model.use_sde:
        cast("Any", getattr(model, "actor", model.policy)).reset_noise(venv.num_envs)
    if model.action_noise is not None:
        model.action_noise.reset()


def segment_seed(seed: int, timesteps: int) -> int:
    """The seed of the first episode of a segment, 0 to 2**31 - 1, far from those of others."""
    return int(np.random.SeedSequence((seed, timesteps)).generate_state(1)[0] >> 1)
