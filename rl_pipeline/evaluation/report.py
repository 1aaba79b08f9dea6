"""Figures of an evaluation as aligned lines on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from rl_pipeline.experiment.evaluations import EvaluationSummary


def print_evaluation_report(summary: EvaluationSummary, agent: str, environment: str, console: Console) -> None:
    """Print the figures of one agent in one environment."""
    print_rows(f"{agent} in {environment}", evaluation_rows(summary), console, "green")


def evaluation_rows(summary: EvaluationSummary) -> list[tuple[str, str]]:
    """Return names and values: return with spread and interval, success rate with interval, length, episodes."""
    # Spread and intervals are missing after a single episode.
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
    """Print a heading and aligned lines, never wrapped or cut: paths and commands are there to be copied."""
    width = max(len(name) for name, _ in rows)
    console.print(Text(f"\n{title}", style=f"bold {colour}"), soft_wrap=True)
    for name, value in rows:
        console.print(Text.assemble((f"  {name:<{width}}  ", "bold"), value), soft_wrap=True)
