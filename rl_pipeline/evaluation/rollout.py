"""Rollouts: an agent acts in vector environments, to play a number of episodes or to film some.

The seed of every episode is fixed beforehand, so that results do not depend on timing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.unwrapping import environment_name, request_frames
from rl_pipeline.evaluation.agents import Agent
from rl_pipeline.evaluation.episode_tally import EpisodeTally, RolloutStep
from rl_pipeline.experiment.evaluations import Episodes
from rl_pipeline.experiment.recording.video import frame_of, frame_rate
from rl_pipeline.experiment.recording.video_file import VideoFile
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)

NOTICE_INTERVAL: Final = 30.0
"""Seconds without the end of an episode after which the log says that one is awaited."""
MAX_FRAMES: Final = 3000
"""Frames after which a video ends, for environments whose episodes do not end."""


def rollout(
    agent: Agent, venv: VecEnv, seed: int, deterministic: bool, *, begun: Callable[[], None] = lambda: None
) -> Iterator[RolloutStep]:
    """Reset to `seed` and yield steps without end; recurrent states are carried, and reset with an episode.

    Args:
        agent: acts in all environments.
        venv: the environments.
        seed: of the first episode.
        deterministic: take the agent's best action rather than a sample.
        begun: called once, after the reset.
    """
    venv.seed(seed)
    observations = venv.reset()
    begun()
    state: Any = None
    starts: NDArray[np.bool_] = np.ones(venv.num_envs, dtype=np.bool_)
    while True:
        # The agent clears the recurrent state of environments whose episode starts.
        actions, state = agent.predict(observations, state=state, episode_start=starts, deterministic=deterministic)
        # Environments reset themselves: a done step already returns the first observation of the next episode.
        observations, rewards, starts, infos = venv.step(actions)
        yield RolloutStep(rewards, starts, infos)


class LongEpisodeNotice:
    """Logs at intervals that no episode ends, with the configuration keys that cut episodes off.

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
        """Count a step of every environment; `dones`, (N,) bool, marks the episodes that ended with it."""
        # The end of any episode restarts the wait.
        if np.count_nonzero(dones):
            self._began = self._shown = time.monotonic()
            self._steps = 0
            return
        self._steps += 1
        now = time.monotonic()
        if now - self._shown >= self._interval:
            self._shown = now
            logger.info(
                "waiting for the end of an episode of %s for %.0f s, %d %s; environment.horizon or "
                "evaluation.horizon cut episodes off",
                environment_name(self._venv),
                now - self._began,
                self._steps,
                plural(self._steps, "step"),
            )


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

    Assigning episodes to environments beforehand keeps short episodes from being counted more often, and the result
    from depending on timing.

    Args:
        agent: acts in all environments.
        venv: the environments.
        count: episodes in all, > 0.
        seed: of the first episode.
        deterministic: take the agent's best action rather than a sample.
        each_step: called after each step; may raise to end the evaluation.
        progress: called with the number of episodes that have ended, whenever one ends.
    """

    def play() -> Episodes:
        tally = EpisodeTally(count, venv.num_envs)
        notice = LongEpisodeNotice(venv)
        for step in rollout(agent, venv, seed, deterministic):
            each_step()
            notice.update(step.dones)
            if tally.add(step):
                progress(tally.ended)
            if tally.complete:
                break
        return tally.episodes()

    episodes = play()
    if not episodes.lost.all():
        return episodes
    # Lost simulators have been replaced meanwhile.
    logger.warning("every simulator was lost before an episode ended: repeating the evaluation")
    return play()


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
    """Write a video of the first episodes of environment 0; returns its number of frames. Without any, no file.

    The state that ends an episode is not drawn: environments show the next episode's first state in its place.

    Args:
        agent: acts in all environments.
        venv: the environments; all of them are stepped.
        path: the video.
        episodes: number of episodes, > 0.
        seed: of the first episode.
        deterministic: take the agent's best action rather than a sample.
        each_step: called after each step; may raise to end the video.
        progress: called with the number of frames so far.
        max_seconds: wall time after which the video ends with the frames that it has.

    Raises:
        InputError: a frame cannot be drawn, or the file cannot be written.
    """
    request_frames(venv, True)
    began = time.monotonic()
    ended = 0
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
                # End early for environments that draw nothing, never end an episode, or draw slowly.
                if not video.frames or number >= MAX_FRAMES:
                    break
                if time.monotonic() - began > max_seconds:
                    frames = plural(video.frames, "frame")
                    logger.info("%s ends after %d %s: drawing took %g s", path, video.frames, frames, max_seconds)
                    break
        return video.frames
    finally:
        request_frames(venv, False)
