"""A video of whole episodes of an agent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.unwrapping import request_frames
from rl_pipeline.experiment.recording import frame_of, frame_rate
from rl_pipeline.experiment.video_file import VideoFile
from rl_pipeline.run.agents import Agent
from rl_pipeline.run.evaluation import rollout

LONGEST = 3000
"""Steps after which a video ends, for environments whose episodes do not."""


def record_episodes(
    agent: Agent,
    venv: VecEnv,
    path: Path,
    episodes: int,
    seed: int,
    *,
    deterministic: bool = True,
    each_step: Callable[[], None] = lambda: None,
) -> int:
    """Write a video of the first episodes of environment 0. Returns its number of frames; without any, no file.

    Raises `InputError` when the file cannot be written.
    """
    request_frames(venv, True)
    ended = 0
    try:
        with VideoFile(path, frame_rate(venv)) as video:
            for number, step in enumerate(rollout(agent, venv, seed, deterministic), start=1):
                each_step()
                frame = frame_of(venv)
                if frame is not None:
                    video.add(frame)
                ended += bool(step.dones[0])
                if ended >= episodes or number >= LONGEST or (frame is None and number > 1):
                    break
        return video.frames
    finally:
        request_frames(venv, False)
