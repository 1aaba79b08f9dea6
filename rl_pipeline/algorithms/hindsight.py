"""Hindsight experience replay (Andrychowicz et al. 2017): environments and settings that it takes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.her.goal_selection_strategy import KEY_TO_GOAL_STRATEGY
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)

SECTION = "algorithm.parameters"
GOAL_KEYS = ("observation", "achieved_goal", "desired_goal")
SETTINGS = ("n_sampled_goal", "goal_selection_strategy")


def check_goals(space: spaces.Space[Any]) -> None:
    """Raise `InputError` unless the observations hold goals."""
    if not isinstance(space, spaces.Dict) or any(key not in space.spaces for key in GOAL_KEYS):
        raise InputError(
            f"{SECTION}.replay_buffer_class: hindsight needs a goal environment, with a dictionary of "
            f"{', '.join(GOAL_KEYS)} as observation, found {type(space).__name__}"
        )


def check_hindsight_settings(settings: Mapping[str, Any]) -> None:
    """Raise `InputError` unless the settings are those of the hindsight buffer."""
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


def waiting_for_episodes(algorithm: type[BaseAlgorithm]) -> type[BaseAlgorithm]:
    """Return the algorithm, under its name, with updates that wait until the hindsight buffer holds an episode."""
    return type(algorithm.__name__, (_WaitingForEpisodes, algorithm), {})


class _WaitingForEpisodes(OffPolicyAlgorithm):
    """Skips updates while no whole episode is in the buffer, where `HerReplayBuffer.sample` would fail."""

    _said = False

    def train(self, gradient_steps: int, batch_size: int) -> None:
        """Update as the algorithm does, once there is an episode to sample from."""
        buffer = self.replay_buffer
        assert isinstance(buffer, HerReplayBuffer)
        if buffer.ep_length.any():
            super().train(gradient_steps, batch_size)
        elif not self._said:
            self._said = True
            logger.warning(
                "%s.learning_starts: no episode has ended after %d %s; collecting without updates until one has",
                SECTION, self.num_timesteps, plural(self.num_timesteps, "step"),
            )  # fmt: skip
