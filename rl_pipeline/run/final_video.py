"""The video at the end of a run: a few episodes of the best model."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config import Config
from rl_pipeline.evaluation.agents import Agent
from rl_pipeline.evaluation.rollout import MAX_FRAMES, record_episodes
from rl_pipeline.experiment.loggers.progress import counted
from rl_pipeline.run.interruption import RunInterrupted

logger = logging.getLogger(__name__)

EPISODES: Final = 3
MAX_SECONDS: Final = 120.0
"""Wall time after which the video ends: GL that computes on the CPU draws two frames a second."""


def record_final_video(
    agent: Agent, venv: VecEnv, path: Path, config: Config, check: Callable[[], None], console: Console | None
) -> bool:
    """Record the first evaluation episodes; False, with a warning, when no video can be made.

    Args:
        agent: the best model.
        venv: the evaluation environments.
        path: the video.
        config: its `evaluation` section says which episodes, and whether the agent samples its actions.
        check: called before each step; may raise `RunInterrupted`.
        console: where progress is drawn; None: it is logged only.
    """
    settings = config.evaluation
    logger.info("filming the best model: %d episodes, %g s at most", EPISODES, MAX_SECONDS)
    try:
        with counted("filming", MAX_FRAMES, "frames at most", console) as progress:
            frames = record_episodes(
                agent, venv, path, EPISODES, settings.seed, deterministic=settings.deterministic, each_step=check,
                progress=progress, max_seconds=MAX_SECONDS,
            )  # fmt: skip
    except RunInterrupted:
        raise
    except Exception as error:  # a run that is trained and judged has not failed because of its video
        logger.warning("no video of the best model: %s", error)
        logger.debug("the video failed", exc_info=True)
        return False
    if not frames:
        logger.warning("no video of the best model: the environment draws no frames")
    return frames > 0
