"""Guard against NaN and infinity from environments without players, as nan_guard.py is for those of players.

The episode ends as truncated with its last valid observation and a reward of 0, and `invalid_state` in its infos.
"""

from __future__ import annotations

import logging
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from rl_pipeline.envs.nan_guard import MAX_IN_A_ROW, check_actions, invalid_rows, is_finite
from rl_pipeline.envs.unwrapping import are_apart
from rl_pipeline.errors import InputError

logger = logging.getLogger(__name__)

MAX_WARNINGS: Final = 10


class FiniteVecEnv(VecEnvWrapper):
    """Wrapper that ends the episodes of environments whose observation or reward is NaN or infinity.

    Args:
        venv: the environments.
        name: environment id, for messages.

    Raises:
        InputError: on a step or reset, when an environment is invalid `MAX_IN_A_ROW` times without a valid step in
            between.
    """

    def __init__(self, venv: VecEnv, name: str) -> None:
        super().__init__(venv)
        self._name = name
        self._observations: VecEnvObs = np.zeros(0)
        self._in_a_row: NDArray[np.int64] = np.zeros(venv.num_envs, np.int64)
        self._steps: NDArray[np.int64] = np.zeros(venv.num_envs, np.int64)
        self._warnings = 0
        self._recovering = False

    def reset(self) -> VecEnvObs:
        """Begin an episode in every environment."""
        self._steps[:] = 0
        self._observations = self._repeat_resets(self.venv.reset(), np.arange(self.num_envs))
        return self._observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Send the actions. Raises `ActionError` when one has NaN or infinity."""
        check_actions(actions)
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Take a step, and end the episodes that have become invalid."""
        observations, rewards, dones, infos = self.venv.step_wait()
        self._steps += 1
        # Of an episode that has ended, `observations` has the first of the next one.
        sound = is_finite(rewards) and _is_finite(observations)
        if np.count_nonzero(dones):
            ended: list[int] = np.flatnonzero(dones).tolist()
            sound = sound and all(_is_finite(infos[index].get("terminal_observation", 0.0)) for index in ended)
            if sound:
                self._steps[ended] = 0
        if self._recovering or not sound:
            self._end_invalid(observations, rewards, dones, infos)
        self._observations = observations
        return observations, rewards, dones, infos

    def _end_invalid(
        self, observations: VecEnvObs, rewards: NDArray[Any], dones: NDArray[Any], infos: list[dict[str, Any]]
    ) -> None:
        """Rewrite the step of each environment that is invalid, and begin its next episode."""
        # The last observation of an ended episode is in its info.
        ended = [bool(done) for done in dones]
        invalid: dict[int, list[str]] = {}
        for index in range(self.num_envs):
            last = infos[index].get("terminal_observation") if ended[index] else _row(observations, index)
            if parts := self._invalid_parts(last, rewards[index]):
                invalid[index] = parts
            else:
                self._in_a_row[index] = 0
        # Truncate the invalid episodes at their last valid observation.
        for index, parts in invalid.items():
            self._report(index, parts)
            rewards[index] = 0.0
            dones[index] = True
            infos[index].pop("episode", None)
            infos[index]["invalid_state"] = infos[index]["TimeLimit.truncated"] = True
            infos[index]["terminal_observation"] = _row(self._observations, index)
            if not ended[index]:
                self._reset_one(observations, index)
        self._repeat_resets(observations, np.flatnonzero(dones))
        self._recovering = bool(self._in_a_row.any())
        self._steps[dones.astype(bool)] = 0

    def _repeat_resets(self, observations: VecEnvObs, environments: NDArray[np.intp]) -> VecEnvObs:
        """Reset those environments again that begin with NaN or infinity; returns the observations of all."""
        for index in environments.tolist():
            while parts := self._invalid_parts(_row(observations, index), 0.0):
                self._steps[index] = 0
                self._report(index, parts)
                self._reset_one(observations, index)
        return observations

    def _reset_one(self, observations: VecEnvObs, index: int) -> None:
        """Reset one environment, and write its observation into those of all."""
        if not are_apart(self.venv):
            raise InputError(f"{self._name}: NaN or infinity, and environment {index} cannot be reset alone")
        [(observation, info)] = self.venv.env_method("reset", indices=[index])
        self.reset_infos[index] = info
        for key, array in _arrays(observations).items():
            array[index] = observation[key] if isinstance(observation, dict) else observation

    def _invalid_parts(self, observation: Any, reward: float) -> list[str]:
        """Return the parts of a step of one environment that have NaN or infinity."""
        parts = [
            "the observation" if key is None else f"{key!r} of the observation"
            for key, array in _arrays(observation).items()
            if not is_finite(array) and invalid_rows(array[None]) is not None
        ]
        return parts if math.isfinite(reward) else [*parts, "the reward"]

    def _report(self, index: int, parts: list[str]) -> None:
        """Count and log an invalid step; raise `InputError` when there were too many in a row."""
        self._in_a_row[index] += 1
        message = (
            f"environment {index} ({self._name}), step {self._steps[index]} of an episode: NaN or infinity in "
            f"{' and '.join(parts)}"
        )
        if self._in_a_row[index] >= MAX_IN_A_ROW:
            raise InputError(f"{message}; that was {MAX_IN_A_ROW} times in a row without a valid step in between")
        self._warnings += 1
        if self._warnings <= MAX_WARNINGS:
            last = "; no more of these warnings follow" if self._warnings == MAX_WARNINGS else ""
            logger.warning("%s; the episode ends%s", message, last)


def _is_finite(observation: Any) -> bool:
    if isinstance(observation, dict):
        return all(map(_is_finite, observation.values()))
    return is_finite(observation if isinstance(observation, np.ndarray) else np.asarray(observation))


def _arrays(observations: Any) -> dict[Any, NDArray[Any]]:
    if isinstance(observations, dict):
        return {key: np.asarray(value) for key, value in observations.items()}
    return {None: np.asarray(observations)}


def _row(observations: Any, index: int) -> Any:
    """Return a copy of the observation of one environment."""
    if isinstance(observations, dict):
        return {key: np.array(value[index]) for key, value in observations.items()}
    return np.array(observations[index])
