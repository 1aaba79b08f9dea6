"""`rl-pipeline train --seeds`: one experiment repeated with several seeds, and a table over all of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rl_pipeline.config import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.statistics import student_interval
from rl_pipeline.run.result import TrainingResult, print_training_report
from rl_pipeline.run.rl_trainer import RLTrainer

MAX_SEED: Final = 2**32 - 1
MAX_SEEDS: Final = 1000


def parse_seeds(text: str) -> list[int]:
    """Parse seeds such as `0..4` (both ends count), `0,3,7`, or a mixture of them.

    Raises:
        InputError: the text has another form, a seed is out of range or occurs twice, or there are too many.
    """
    seeds: list[int] = []
    for part in text.split(","):
        # Each part is one seed or a range.
        match = re.fullmatch(r"\s*(\d+)\s*(?:\.\.\s*(\d+)\s*)?", part)
        if match is None:
            raise InputError(f"--seeds: expected seeds such as 0..4 or 0,3,7, found {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise InputError(f"--seeds: expected the smaller end first, found {part.strip()!r}")
        if last > MAX_SEED:
            raise InputError(f"--seeds: expected whole numbers from 0 to {MAX_SEED}, found {last}")
        if last - first >= MAX_SEEDS or len(seeds) + last - first >= MAX_SEEDS:
            raise InputError(f"--seeds: expected at most {MAX_SEEDS} seeds, found more in {text!r}")
        seeds.extend(range(first, last + 1))
    # A seed that occurs twice would give two folders of the same name.
    twice = [seed for index, seed in enumerate(seeds) if seed in seeds[:index]]
    if twice:
        raise InputError(f"--seeds: {twice[0]} occurs twice in {text!r}")
    return seeds


def with_seed(config: Config, seed: int) -> Config:
    """Return the same experiment with another training seed, and the seed in the name of its folder."""
    name = f"{config.experiment.name}_seed_{seed}"
    return config.model_copy(
        update={
            "training": config.training.model_copy(update={"seed": seed}),
            "experiment": config.experiment.model_copy(update={"name": name}),
        }
    )


@dataclass(frozen=True)
class Repetition:
    """One training and its seed."""

    seed: int
    result: TrainingResult


def train_seeds(
    config: Config, seeds: Sequence[int], *, overrides: Sequence[str], console: Console, progress: Console
) -> bool:
    """Train once for each seed, one after another, and print a table over all of them.

    All runs are checked before the first starts. An interruption ends the current run and skips the rest.

    Args:
        config: the experiment; its seed and name are replaced.
        seeds: seeds of the trainings; all are evaluated on the same unseen episodes.
        overrides: overrides of the command line, kept in each experiment folder.
        console: prints the reports.
        progress: draws the progress.

    Returns:
        True if no run was interrupted.
    """
    # Check all of them first.
    trainers = [
        (seed, RLTrainer(with_seed(config, seed), overrides=[*overrides, f"training.seed={seed}"], console=progress))
        for seed in seeds
    ]
    # Train.
    done: list[Repetition] = []
    for seed, trainer in trainers:
        result = trainer.train()
        if config.training.verbose or result.interrupted:
            print_training_report(result, console)
        if result.interrupted:
            break
        done.append(Repetition(seed, result))
    print_summary(done, console)
    return len(done) == len(trainers)


def print_summary(repetitions: Sequence[Repetition], console: Console) -> None:
    """Print a row for each seed, and the mean over the seeds with its 95 % interval (Student's, a figure a run)."""
    judged = [(each.seed, each.result) for each in repetitions if each.result.evaluation is not None]
    if len(judged) < 2:
        return
    # One row for each run.
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("seed", "return", "success", "length", "steps/s"):
        table.add_column(heading, justify="right")
    table.add_column("folder", overflow="fold")
    columns: list[list[float]] = [[], [], []]
    for seed, result in judged:
        assert result.evaluation is not None
        figures = (result.evaluation.mean_return, result.evaluation.success_rate, result.evaluation.mean_length)
        for column, figure in zip(columns, figures, strict=True):
            column.append(np.nan if figure is None else figure)
        speed = f"{result.timesteps / max(result.seconds, 1e-9):,.0f}"
        table.add_row(str(seed), *_texts(figures), speed, escape(_short(result.folder.path)))
    # The mean over the runs, with its interval.
    table.add_section()
    table.add_row("mean", *_texts([float(np.mean(column)) for column in columns]), style="bold")
    limits = [student_interval(np.array(column)) for column in columns]
    for end, label in enumerate(("from", "to")):
        table.add_row(label, *_texts([limit[end] for limit in limits]), "", "95% interval of the mean")
    console.print()
    console.print(table)
    # The command for the curves.
    names = {result.folder.path.parent / f"{_stem(result.folder.path.name)}*" for _, result in judged}
    pattern = shlex.quote(min(names).name)
    console.print(f"\nrl-pipeline plot {escape(pattern)} draws them as one curve", highlight=False, soft_wrap=True)


def _texts(figures: Sequence[float | None]) -> tuple[str, str, str]:
    mean_return, success, length = (np.nan if figure is None else figure for figure in figures)
    return f"{mean_return:.2f}", "-" if np.isnan(success) else f"{success:.1%}", f"{length:.1f}"


def _short(path: Path) -> str:
    return "/".join(path.parts[-3:])


def _stem(name: str) -> str:
    return name[: name.rindex("_seed_") + len("_seed_")]
