"""What a command found, drawn for a person."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from rl_pipeline.experiment.evaluations import EvaluationSummary
from rl_pipeline.plurals import plural

if TYPE_CHECKING:
    from rl_pipeline.run.rl_trainer import TrainingResult


def print_training_report(result: TrainingResult, console: Console) -> None:
    """Say where the model, the video and the curves are, and how good the best model is."""
    folder = result.folder
    speed = (result.timesteps - result.start) / max(result.seconds, 1e-9)
    files = {
        "model": folder.model,
        "best model": folder.best_model,
        "video": result.video,
        "curves": folder.curves,
        "all files": folder.path,
    }
    rows = [(name, str(path)) for name, path in files.items() if path is not None and path.exists()]
    steps = f"{result.timesteps:,} {plural(result.timesteps, 'step')}"
    rows.append(("training", f"{steps}, {result.seconds:.0f} s in all ({speed:,.0f} steps/s)"))
    if result.environments is not None:
        rows.append(("environments", result.environments))
    if result.evaluation is not None:
        rows.extend(evaluation_rows(result.evaluation))
    if result.interrupted:
        rows.append(("go on with", continue_command(folder.path)))
    title = "interrupted; everything is saved" if result.interrupted else "trained"
    print_rows(title, rows, console, "yellow" if result.interrupted else "green")


def continue_command(folder: Path) -> str:
    """How to train on from where a run ended."""
    return f"rl-pipeline resume {shlex.quote(str(folder))}"


def train_command(folder: Path) -> str:
    """Command that begins a new run with the weights of another."""
    return f"rl-pipeline train --initialize-from {shlex.quote(str(folder))}"


def print_evaluation_report(summary: EvaluationSummary, what: str, where: str, console: Console) -> None:
    """Say how good an agent is."""
    print_rows(f"{what} in {where}", evaluation_rows(summary), console, "green")


def evaluation_rows(summary: EvaluationSummary) -> list[tuple[str, str]]:
    """Rows of a table: return with spread and interval, success rate with interval, length."""
    spread = "" if summary.sd_return is None else f" ± {summary.sd_return:.2f} sd"
    interval = summary.return_interval
    limits = "" if interval is None else f", 95% interval {interval[0]:.2f} to {interval[1]:.2f}"
    rows = [("return", f"{summary.mean_return:.2f}{spread}{limits}")]
    if summary.iqm_interval is not None:
        low, high = summary.iqm_interval
        rows.append(("interquartile mean", f"{summary.iqm_return:.2f}, 95% interval {low:.2f} to {high:.2f}"))
    if summary.success_rate is not None and summary.success_interval is not None:
        low, high = summary.success_interval
        rows.append(("success rate", f"{summary.success_rate:.1%}, 95% interval {low:.1%} to {high:.1%}"))
    rows.append(("length", f"{summary.mean_length:.1f} steps on average"))
    lost = f"; {summary.lost} not counted (simulator lost)" if summary.lost else ""
    rows.append(("episodes", f"{summary.episodes}{lost}"))
    return rows


def print_rows(title: str, rows: list[tuple[str, str]], console: Console, colour: str) -> None:
    """A heading and aligned lines, never wrapped or cut: paths and commands are there to be copied."""
    width = max(len(name) for name, _ in rows)
    console.print(Text(f"\n{title}", style=f"bold {colour}"), soft_wrap=True)
    for name, value in rows:
        console.print(Text.assemble((f"  {name:<{width}}  ", "bold"), value), soft_wrap=True)
