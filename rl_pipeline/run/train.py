"""`rl-pipeline train`: train an agent and print the report."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from rl_pipeline.config import Config
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.selection import select_configured
from rl_pipeline.run.play import play
from rl_pipeline.run.result import print_training_report
from rl_pipeline.run.rl_trainer import RLTrainer
from rl_pipeline.run.seeds import parse_seeds, train_seeds

INTERRUPTED = 130


def train(
    config: Config, *, overrides: Sequence[str], seeds: str | None = None, console: Console, progress: Console
) -> int:
    """Train as configured, once or for each of several seeds; with `training.test_only`, play instead.

    `console` prints the report, `progress` draws the progress. Returns the exit code.
    """
    # No training: the existing agent plays.
    if config.training.test_only:
        _watch(config, seeds, console)
        return 0
    # Several trainings, one after another.
    if seeds is not None:
        complete = train_seeds(config, parse_seeds(seeds), overrides=overrides, console=console, progress=progress)
        return 0 if complete else INTERRUPTED
    # One training.
    result = RLTrainer(config, overrides=overrides, console=progress).train()
    if config.training.verbose or result.interrupted:
        print_training_report(result, console)
    return INTERRUPTED if result.interrupted else 0


def _watch(config: Config, seeds: str | None, console: Console) -> None:
    if seeds is not None:
        raise InputError("--seeds: expected training.test_only=false, since nothing is trained with it")
    play(
        select_configured(config), episodes=config.evaluation.num_episodes, seed=None, video=None,
        show=config.environment.render_mode == "human", monitor=False, record_bag=None, console=console,
    )  # fmt: skip
