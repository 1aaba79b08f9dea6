"""Hindsight experience replay (Andrychowicz et al. 2017, arXiv:1707.01495): its environments, settings and updates."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.her.goal_selection_strategy import KEY_TO_GOAL_STRATEGY
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)

SECTION: Final = "algorithm.parameters"
HINDSIGHT_NAMES: Final = ("her", "HerReplayBuffer")
"""Values of `replay_buffer_class` that choose the hindsight buffer."""
GOAL_KEYS: Final = ("observation", "achieved_goal", "desired_goal")
"""Keys of the observations of a goal environment, as Gymnasium-Robotics defines it."""
SETTINGS: Final = ("n_sampled_goal", "goal_selection_strategy")


def check_goals(space: spaces.Space[Any]) -> None:
    """Raise `InputError` unless the observations hold goals."""
    if not isinstance(space, spaces.Dict) or any(key not in space.spaces for key in GOAL_KEYS):
        raise InputError(
            f"{SECTION}.replay_buffer_class: hindsight needs a goal environment, with a dictionary of "
            f"{', '.join(GOAL_KEYS)} as observation, found {type(space).__name__}"
        )


def check_hindsight_settings(settings: Mapping[str, Any]) -> None:
    """Raise `InputError` unless `replay_buffer_kwargs` are valid for the hindsight buffer."""
    where = f"{SECTION}.replay_buffer_kwargs"
    for name in settings:
        if name not in SETTINGS:
            raise UnknownNameError("setting of the hindsight buffer", str(name), SETTINGS, where=f"{where}.{name}")
    strategy = settings.get("goal_selection_strategy", "future")
    if strategy not in KEY_TO_GOAL_STRATEGY:
        raise UnknownNameError("strategy", str(strategy), KEY_TO_GOAL_STRATEGY, where=where)
    count = settings.get("n_sampled_goal", 4)
    if type(count) is not int or count < 1:
        raise InputError(f"{where}.n_sampled_goal: expected a whole number above 0, found {count!r}")


def delay_updates_until_episode_end(algorithm: type[BaseAlgorithm]) -> type[BaseAlgorithm]:
    """Return a subclass of the algorithm, of the same name, that updates once the hindsight buffer has an episode."""
    return type(algorithm.__name__, (_DelayedUpdates, algorithm), {})


class _DelayedUpdates(OffPolicyAlgorithm):
    """Mix-in that skips updates while the buffer has no complete episode: `HerReplayBuffer.sample` would fail."""

    _has_warned = False

    def train(self, gradient_steps: int, batch_size: int) -> None:
        """Update the policy if the buffer has an episode to sample from; warn once if not."""
        buffer = self.replay_buffer
        assert isinstance(buffer, HerReplayBuffer)
        # The buffer writes the length of an episode when it ends.
        if buffer.ep_length.any():
            super().train(gradient_steps, batch_size)
        elif not self._has_warned:
            self._has_warned = True
            logger.warning(
                "%s.learning_starts: no episode has ended after %d %s; collecting without updates until one has",
                SECTION,
                self.num_timesteps,
                plural(self.num_timesteps, "step"),
            )
