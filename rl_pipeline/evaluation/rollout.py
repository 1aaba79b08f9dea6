"""The episode loop: an agent in vector environments, with the seed of every episode fixed beforehand."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.infos import episode_success
from rl_pipeline.envs.unwrapping import environment_name, request_frames
from rl_pipeline.evaluation.agents import Agent
from rl_pipeline.experiment.evaluations import Episodes
from rl_pipeline.experiment.recording.video import frame_of, frame_rate
from rl_pipeline.experiment.recording.video_file import VideoFile
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)

NOTICE_INTERVAL: Final = 30.0
"""Seconds without the end of an episode after which an evaluation says what it waits for."""


@dataclass(frozen=True)
class RolloutStep:
    """One step of every environment.

    Attributes:
        rewards: (N,) float.
        dones: (N,) bool, whether each episode ended with this step.
        infos: N dicts.
    """

    rewards: NDArray[np.floating[Any]]
    dones: NDArray[np.bool_]
    infos: list[dict[str, Any]]


def rollout(
    agent: Agent, venv: VecEnv, seed: int, deterministic: bool, *, begun: Callable[[], None] = lambda: None
) -> Iterator[RolloutStep]:
    """Reset to `seed` and let the agent act without end; recurrent states are carried, and reset with an episode.

    `begun` is called once, after the reset.
    """
    venv.seed(seed)
    observations = venv.reset()
    begun()
    state: Any = None
    starts: NDArray[np.bool_] = np.ones(venv.num_envs, dtype=np.bool_)
    while True:
        actions, state = agent.predict(observations, state=state, episode_start=starts, deterministic=deterministic)
        observations, rewards, starts, infos = venv.step(actions)
        yield RolloutStep(rewards, starts, infos)


class LongEpisodeNotice:
    """Says now and then that no episode ends, and which key ends them.

    Args:
        venv: the environments.
        interval: seconds without the end of an episode before the first line, and between two.
    """

    def __init__(self, venv: VecEnv, interval: float | None = None) -> None:
        self._venv = venv
        self._interval = NOTICE_INTERVAL if interval is None else interval
        self._began = self._shown = time.monotonic()
        self._steps = 0

    def update(self, dones: NDArray[np.bool_]) -> None:
        """Note a step of every environment; `dones`, (N,) bool, says which episodes ended with it."""
        if np.count_nonzero(dones):
            self._began, self._steps = time.monotonic(), 0
            self._shown = self._began
            return
        self._steps += 1
        now = time.monotonic()
        if now - self._shown >= self._interval:
            self._shown = now
            logger.info(
                "waiting for the end of an episode of %s for %.0f s, %d %s; environment.horizon or "
                "evaluation.horizon cut episodes off",
                environment_name(self._venv), now - self._began, self._steps, plural(self._steps, "step"),
            )  # fmt: skip


def play_episodes(
    agent: Agent,
    venv: VecEnv,
    count: int,
    seed: int,
    *,
    deterministic: bool = True,
    each_step: Callable[[], None] = lambda: None,
    progress: Callable[[int], None] = lambda done: None,
) -> Episodes:
    """Play `count` episodes: environment i of N plays episodes i, i + N, i + 2N, ...; once more if all are lost.

    Fixing beforehand which environment plays which episode keeps short episodes from being counted more often, and the
    result from depending on timing.

    Args:
        agent: what acts.
        venv: the environments.
        count: episodes in all, > 0.
        seed: of the first episode.
        deterministic: whether the agent takes its best action, or samples.
        each_step: called before each step; may raise to end the evaluation.
        progress: called with the number of episodes played, whenever one ends.
    """
    episodes = _play(agent, venv, count, seed, deterministic, each_step, progress)
    if not episodes.lost.all():
        return episodes
    logger.warning("every simulator was lost before an episode ended: repeating the evaluation")
    return _play(agent, venv, count, seed, deterministic, each_step, progress)


def _play(
    agent: Agent,
    venv: VecEnv,
    count: int,
    seed: int,
    deterministic: bool,
    each_step: Callable[[], None],
    progress: Callable[[int], None],
) -> Episodes:
    num_envs = venv.num_envs
    returns, lengths = np.zeros(count), np.zeros(count, dtype=np.int64)
    successes, lost = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    reported = False
    current = np.arange(num_envs)
    running_return, running_length = np.zeros(num_envs), np.zeros(num_envs, dtype=np.int64)
    notice = LongEpisodeNotice(venv)
    for step in rollout(agent, venv, seed, deterministic):
        each_step()
        notice.update(step.dones)
        running_return += step.rewards
        running_length += 1
        for index in np.flatnonzero(step.dones):
            episode, info = current[index], step.infos[index]
            if episode < count:
                monitored = info.get("episode", {})
                returns[episode] = monitored.get("r", running_return[index])
                lengths[episode] = monitored.get("l", running_length[index])
                lost[episode] = info.get("player_lost", False) or info.get("invalid_state", False)
                success = episode_success(info)
                successes[episode] = bool(success)
                reported |= success is not None
            current[index] += num_envs
            running_return[index], running_length[index] = 0.0, 0
            progress(int(np.count_nonzero(lengths)))
        if (current >= count).all():
            break
    return Episodes(returns, lengths, successes if reported else None, lost)


MAX_FRAMES: Final = 3000
"""Frames after which a video ends, for environments whose episodes do not."""


def record_episodes(
    agent: Agent,
    venv: VecEnv,
    path: Path,
    episodes: int,
    seed: int,
    *,
    deterministic: bool = True,
    each_step: Callable[[], None] = lambda: None,
    progress: Callable[[int], None] = lambda frames: None,
    max_seconds: float = float("inf"),
) -> int:
    """Write a video of the first episodes of environment 0. Returns its number of frames; without any, no file.

    The state that ends an episode is not drawn: environments show the next episode's first state in its place.

    Args:
        agent: the agent that acts.
        venv: the environments; all of them are stepped.
        path: the video.
        episodes: number of episodes, > 0.
        seed: of the first episode.
        deterministic: take the agent's best action rather than a sample.
        each_step: called before each step; may raise to end the video.
        progress: called with the number of frames so far.
        max_seconds: wall time after which the video ends with the frames that it has.

    Raises `InputError` when a frame cannot be drawn, or the file cannot be written.
    """
    request_frames(venv, True)
    ended, began = 0, time.monotonic()
    try:
        with VideoFile(path, frame_rate(venv)) as video:

            def add_frame() -> None:
                if (frame := frame_of(venv)) is not None:
                    video.add(frame)
                    progress(video.frames)

            for number, step in enumerate(rollout(agent, venv, seed, deterministic, begun=add_frame), start=1):
                each_step()
                ended += bool(step.dones[0])
                if ended >= episodes:
                    break
                add_frame()
                if not video.frames or number >= MAX_FRAMES:
                    break
                if time.monotonic() - began > max_seconds:
                    frames = plural(video.frames, "frame")
                    logger.info("%s ends after %d %s: drawing took %g s", path, video.frames, frames, max_seconds)
                    break
        return video.frames
    finally:
        request_frames(venv, False)
