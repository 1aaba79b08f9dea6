"""The best model at the end of a run: its evaluation on unseen seeds, and a video of it."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import Final

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config.schema import EvaluationConfig
from rl_pipeline.evaluation.rollout import MAX_FRAMES, play_episodes, record_episodes
from rl_pipeline.experiment.atomic_files import write_text
from rl_pipeline.experiment.checkpoints.model_file import ModelFile, hand_over_statistics
from rl_pipeline.experiment.evaluations import EvaluationSummary, summarise
from rl_pipeline.experiment.loggers.progress import counted
from rl_pipeline.plurals import plural
from rl_pipeline.run.context import RunContext
from rl_pipeline.run.interruption import RunInterrupted

logger = logging.getLogger(__name__)

MIN_EPISODES: Final = 5
"""Episodes of an evaluation below which a warning is logged."""
VIDEO_EPISODES: Final = 3
MAX_VIDEO_SECONDS: Final = 120.0
"""Wall time after which the video ends: OpenGL on the CPU draws two frames a second."""


def evaluate_best_model(context: RunContext, model: BaseAlgorithm, venv: VecEnv) -> EvaluationSummary | None:
    """Evaluate the best model on the seeds of the `evaluation` section and write evaluation.json.

    Args:
        context: the run; its `check` is called before each step.
        model: the trained model, which gets the weights of the best one: the last ones must be saved before.
        venv: the evaluation environments.

    Returns:
        the figures; None when every simulator was lost.
    """
    # Load the best weights, with the statistics of the training's end.
    ModelFile.open(context.folder.best_model).load_into(model)
    if (training_venv := model.get_env()) is not None:
        hand_over_statistics(training_venv, venv)
    # Play.
    settings = context.plan.config.evaluation
    noun = plural(settings.num_episodes, "episode")
    logger.info("evaluating the best model over %d %s", settings.num_episodes, noun)
    if settings.num_episodes < MIN_EPISODES:
        logger.warning(
            "evaluation.num_episodes: the figures of %d %s say next to nothing; %d is the default",
            settings.num_episodes,
            noun,
            EvaluationConfig().num_episodes,
        )
    with counted("evaluating", settings.num_episodes, noun, context.console) as progress:
        episodes = play_episodes(
            model,
            venv,
            settings.num_episodes,
            settings.seed,
            deterministic=settings.deterministic,
            each_step=context.check,
            progress=progress,
        )
    # Write the figures.
    summary = summarise(episodes)
    if summary is not None:
        facts = {"seed": settings.seed, "deterministic": settings.deterministic, **dataclasses.asdict(summary)}
        write_text(context.folder.evaluation, json.dumps(facts, indent=2) + "\n")
        context.plan.loggers.log_file(context.folder.evaluation)
        context.plan.loggers.log_summary({f"evaluation/{key}": value for key, value in facts.items()})
    return summary


def record_best_model(context: RunContext, model: BaseAlgorithm, venv: VecEnv) -> Path | None:
    """Record the first evaluation episodes as a video; None, with a warning, when that fails.

    Args:
        context: the run; its `check` is called before each step.
        model: the best model.
        venv: the evaluation environments.
    """
    settings = context.plan.config.evaluation
    path = context.folder.final_video
    logger.info("filming the best model: %d episodes, %g s at most", VIDEO_EPISODES, MAX_VIDEO_SECONDS)
    try:
        with counted("filming", MAX_FRAMES, "frames at most", context.console) as progress:
            frames = record_episodes(
                model,
                venv,
                path,
                VIDEO_EPISODES,
                settings.seed,
                deterministic=settings.deterministic,
                each_step=context.check,
                progress=progress,
                max_seconds=MAX_VIDEO_SECONDS,
            )
    except RunInterrupted:
        raise
    except Exception as error:  # a trained and evaluated run does not fail because of its video
        logger.warning("no video of the best model: %s", error)
        logger.debug("the video failed", exc_info=True)
        return None
    if not frames:
        logger.warning("no video of the best model: the environment draws no frames")
        return None
    context.plan.loggers.log_video(path, model.num_timesteps)
    return path
