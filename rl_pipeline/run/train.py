"""`rl-pipeline train`: train an agent and report what it became."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rl_pipeline.config import load_config
from rl_pipeline.run.report import print_training_report
from rl_pipeline.run.rl_trainer import RLTrainer
from rl_pipeline.run.seeds import parse_seeds, train_seeds

INTERRUPTED = 130


def train(
    *,
    config_name: str | None,
    config_file: Path | None,
    config_dir: Path | None,
    overrides: Sequence[str],
    seeds: str | None = None,
    console: Console,
    progress: Console,
) -> int:
    """Train as the configuration says, once or for each of several seeds.

    The report goes to `console`, progress to `progress`. Returns the exit code.
    """
    config = load_config(config_name, config_file=config_file, config_dir=config_dir, overrides=overrides)
    if seeds is not None:
        complete = train_seeds(config, parse_seeds(seeds), overrides=overrides, console=console, progress=progress)
        return 0 if complete else INTERRUPTED
    result = RLTrainer(config, overrides=overrides, console=progress).train()
    print_training_report(result, console)
    return INTERRUPTED if result.interrupted else 0
