"""`rl-pipeline train`: train an agent and report what it became."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rl_pipeline.config import load_config
from rl_pipeline.run.report import print_training_report
from rl_pipeline.run.rl_trainer import RLTrainer

INTERRUPTED = 130


def train(
    *,
    config_name: str | None,
    config_file: Path | None,
    config_dir: Path | None,
    overrides: Sequence[str],
    console: Console,
    progress: Console,
) -> int:
    """Train as the configuration says; the report goes to `console`, progress to `progress`. Returns the exit code."""
    config = load_config(config_name, config_file=config_file, config_dir=config_dir, overrides=overrides)
    result = RLTrainer(config, overrides=overrides, console=progress).train()
    print_training_report(result, console)
    return INTERRUPTED if result.interrupted else 0
