"""Agents judged side by side on the same episodes: a line each, and one for repetitions with other seeds."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rl_pipeline.envs.factory import Environments
from rl_pipeline.evaluation.communication_table import show_communication
from rl_pipeline.evaluation.rollout import play_episodes
from rl_pipeline.evaluation.selection import Selection
from rl_pipeline.experiment.evaluations import Episodes, EvaluationSummary, summarise
from rl_pipeline.experiment.loggers.progress import counted
from rl_pipeline.experiment.plots.learning_curves import grouped
from rl_pipeline.experiment.record import find_records
from rl_pipeline.experiment.recording.bags import recorded

CSV_COLUMNS: Final = (
    "experiment", "environment", "algorithm", "training_seed", "model", "seed", "return", "length", "success", "lost",
)  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """An agent and the episodes that it played.

    Attributes:
        selection: the agent and its configuration.
        seed: of the first episode; episode k has seed + k.
        episodes: how they went.
    """

    selection: Selection
    seed: int
    episodes: Episodes

    @property
    def label(self) -> str:
        """What a table calls it: the experiment and the model."""
        return _label(self.selection)


def judge(
    selections: Sequence[Selection],
    *,
    episodes: int | None,
    seed: int | None,
    monitor: bool = False,
    record_bag: Path | None = None,
    console: Console,
) -> Iterator[Judged]:
    """Let each agent play; those of equal environments play in the same ones, one after another.

    Args:
        selections: the agents.
        episodes: how many each plays; None: what its `evaluation` section says.
        seed: of the first episode; None: what its `evaluation` section says.
        monitor: show the communication with the players too, live.
        record_bag: folder that episodes are written to as ROS 2 bags, of several agents in a folder each.
        console: where progress is shown.
    """
    with ExitStack() as opened:
        place, environments, venv = None, None, None
        for selection in sorted(selections, key=_place):
            settings = selection.config.evaluation
            count, first = episodes or settings.num_episodes, settings.seed if seed is None else seed
            if environments is None or venv is None or place != (_place(selection), count):
                opened.close()
                logs = opened.enter_context(tempfile.TemporaryDirectory())
                environments = opened.enter_context(Environments(selection.config, Path(logs)))
                venv = environments.evaluation(environments.evaluation_size(count), first)
                place = (_place(selection), count)
            bags = (
                record_bag / _label(selection).replace(" ", "_") if record_bag and len(selections) > 1 else record_bag
            )
            with (
                show_communication(venv, console, monitor) as each_step,
                recorded(venv, bags, count, environment=selection.config.environment.id, agent=selection.name),
                counted(f"evaluating {_label(selection)}", count, "episodes", None if monitor else console) as progress,
            ):
                played = play_episodes(
                    selection.make_agent(venv), venv, count, first,
                    deterministic=settings.deterministic, each_step=each_step, progress=progress,
                )  # fmt: skip
            yield Judged(selection, first, played)


def print_comparison(judged: Sequence[Judged], console: Console) -> None:
    """A line a model, and one for all repetitions of an experiment that differ by their seeds alone."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("model", overflow="fold")
    for heading in ("episodes", "return", "sd", "95% interval", "IQM", "success", "length"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in judged:
        table.add_row(escape(one.label), *_figures(summarise(one.episodes)))
    together = _repetitions(judged)
    if together:
        table.add_section()
    for label, runs in together.items():
        table.add_row(escape(label), *_figures(summarise(*(run.episodes for run in runs))), style="bold")
    console.print(table)


def episodes_csv(judged: Sequence[Judged]) -> str:
    """A line an episode: what played it, its seed, return, length and success (empty where that is not told)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for one in judged:
        config, played = one.selection.config, one.episodes
        folder, model = one.selection.folder, one.selection.model
        what = (
            folder.path if folder else "", config.environment.id, config.algorithm.name, config.training.seed,
            model.stem if model else one.selection.agent,
        )  # fmt: skip
        for index in range(len(played.returns)):
            success = "" if played.successes is None else int(played.successes[index])
            writer.writerow((
                *what, one.seed + index, f"{played.returns[index]:.6g}", played.lengths[index], success,
                int(played.lost[index]),
            ))  # fmt: skip
    return text.getvalue()


def comparison_figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """The figures of the table, by its labels, as JSON takes them."""
    summaries = {one.label: summarise(one.episodes) for one in judged}
    summaries |= {label: summarise(*(run.episodes for run in runs)) for label, runs in _repetitions(judged).items()}
    return {label: summary and dataclasses.asdict(summary) for label, summary in summaries.items()}


def _place(selection: Selection) -> str:
    """What two models must share to play in the same environments."""
    config = selection.config
    return json.dumps([config.environment.model_dump(), config.simulation.model_dump(), config.wrappers], default=str)


def _label(selection: Selection) -> str:
    if selection.model is None:
        return f"{selection.agent} agent"
    return f"{selection.folder.path.name} {selection.model.stem}" if selection.folder else str(selection.model)


def _repetitions(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Models of one name, of runs that differ by their seeds alone; only where there are two or more."""
    by_model: dict[str, list[Judged]] = {}
    for one in judged:
        if one.selection.model is not None and one.selection.folder is not None:
            by_model.setdefault(one.selection.model.stem, []).append(one)
    found: dict[str, list[Judged]] = {}
    for model, members in by_model.items():
        runs = {one.selection.folder.path: one for one in members if one.selection.folder is not None}
        records = find_records([str(path) for path in runs], Path())
        for group in grouped(records):
            if len(group.records) > 1:
                label = f"{group.label} {model}, {len(group.records)} runs"
                found[label] = [runs[record.folder.path] for record in group.records]
    return found


def _figures(summary: EvaluationSummary | None) -> tuple[str, ...]:
    if summary is None:
        return ("0", *("-",) * 6)
    spread = "-" if summary.sd_return is None else f"{summary.sd_return:.2f}"
    interval = "-" if summary.return_interval is None else "{:.2f} to {:.2f}".format(*summary.return_interval)
    success = "-" if summary.success_rate is None else f"{summary.success_rate:.1%}"
    return (
        f"{summary.episodes}", f"{summary.mean_return:.2f}", spread, interval, f"{summary.iqm_return:.2f}", success,
        f"{summary.mean_length:.1f}",
    )  # fmt: skip
