"""Recording of episodes on players as bags, one for each episode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.observations import Observations, Transition, take_rows
from rl_pipeline.envs.unwrapping import player_env
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.recording.bag_file import BagFile
from rl_pipeline.experiment.recording.bag_messages import (
    Message,
    action_messages,
    array_message,
    image_message,
    state_messages,
)
from rl_pipeline.interfaces.values import row_values
from rl_pipeline.paths import obstacle

BEGINNING: Final = 10**9
"""Stamp of an episode's first state, in ns of simulated time: ROS takes a stamp of 0 for none at all."""


class EpisodeBags:
    """Recorder of `episode_<k>` for the first `count` episodes; environment i of N plays episodes i, i + N, i + 2N, ...

    Args:
        env: environment of the episodes.
        folder: folder of the bags.
        count: number of episodes to record.
        facts: entries of each bag's metadata.
    """

    def __init__(self, env: PlayerVectorEnv, folder: Path, count: int, facts: dict[str, str]) -> None:
        self._env, self._folder, self._count, self._facts = env, folder, count, facts
        self._source = env.observe(self)
        self._episode: NDArray[np.int64] = np.arange(env.num_envs) - env.num_envs
        self._origin: NDArray[np.float64] = np.zeros(env.num_envs)
        self._stamp = [BEGINNING] * env.num_envs
        self._bags: dict[int, BagFile] = {}

    def begun(self, environments: NDArray[np.intp], observation: Observations) -> None:
        """Open the bags of episodes that are to be recorded, with their first states."""
        assert self._source.received.simulated_time is not None
        self._episode[environments] += self._env.num_envs
        self._origin[environments] = self._source.received.simulated_time[environments]
        for index in environments.tolist():
            episode = int(self._episode[index])
            if episode < self._count:
                self._bags[index] = BagFile(
                    self._folder / f"episode_{episode}", self._facts | {"episode": str(episode)}
                )
                self._write_state(index, take_rows(observation, index))

    def stepped(self, actions: NDArray[Any], transition: Transition) -> None:
        """Write a step; the bag of an episode that ends with it is complete."""
        request = self._env.task.request(actions)
        information = self._env.task.info(self._source.state)
        for index, bag in list(self._bags.items()):
            # What is asked for is stamped with the state that it was decided in.
            self._write(index, action_messages(self._env.task.step_service, request, index))
            self._write_state(index, take_rows(transition.observation, index))
            ends = {"terminated": transition.terminated[index], "truncated": transition.truncated[index]}
            self._write(index, [_number("/reward", transition.reward[index])])
            self._write(index, (_number(f"/info/{name}", values[index]) for name, values in information.items()))
            self._write(index, (_number(f"/{name}", value) for name, value in ends.items()))
            if any(ends.values()):
                del self._bags[index]
                bag.close()

    def discard(self) -> None:
        """Remove incomplete bags."""
        for bag in self._bags.values():
            bag.discard()
        self._bags.clear()

    def _write_state(self, index: int, observation: Observations) -> None:
        assert self._source.received.simulated_time is not None
        elapsed = self._source.received.simulated_time[index] - self._origin[index]
        self._stamp[index] = stamp = BEGINNING + round(1e9 * float(elapsed))
        state = self._source.state
        self._write(index, state_messages(state.struct, row_values(state, index), stamp))
        parts = observation if isinstance(observation, dict) else {"": observation}
        self._write(index, (array_message(f"/observation/{key}".rstrip("/"), part) for key, part in parts.items()))
        if (image := self._source.received.image(index)) is not None:
            self._write(index, [image_message(image, stamp)])

    def _write(self, index: int, messages: Iterable[Message]) -> None:
        for message in messages:
            self._bags[index].write(message.topic, message.type_name, message.values, self._stamp[index])


@contextmanager
def recorded(venv: VecEnv, folder: Path | None, count: int, **facts: str) -> Iterator[None]:
    """Record the first episodes played in the block as bags in a folder, with frames where there are any.

    Args:
        venv: the environments.
        folder: made when needed; None: nothing is recorded.
        count: number of episodes.
        facts: entries of each bag's metadata.

    Raises:
        InputError: the environments are not on players, or the bags cannot be written.
    """
    if folder is None:
        yield
        return
    if (env := player_env(venv)) is None:
        raise InputError("--record-bag: this environment runs without players, so there are no messages to record")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--record-bag: cannot make the folder {folder}: {obstacle(folder, error)}") from error
    # Frames are drawn for the bags alone, and only while they are recorded.
    bags = EpisodeBags(env, folder, count, facts)
    before = env.rendering.copy()
    env.rendering[:] = env.render_mode is not None
    try:
        yield
    finally:
        env.rendering[:] = before
        env.observe(None)
        bags.discard()


def _number(topic: str, value: Any) -> Message:
    kind = "Bool" if isinstance(value, bool | np.bool_) else "Float64"
    return Message(topic, f"std_msgs/{kind}", {"data": value})
