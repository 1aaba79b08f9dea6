"""A video of whole episodes of an agent."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.unwrapping import request_frames
from rl_pipeline.experiment.recording import frame_of, frame_rate
from rl_pipeline.experiment.video_file import VideoFile
from rl_pipeline.plurals import plural
from rl_pipeline.run.agents import Agent
from rl_pipeline.run.evaluation import rollout

logger = logging.getLogger(__name__)

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
