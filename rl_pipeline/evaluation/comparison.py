"""Evaluation of several agents on the same episodes, and their comparison as a table, CSV or JSON.

Repetitions of an experiment that differ in their seeds alone are summarised in a row of their own.
"""

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
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config import Config
from rl_pipeline.envs.factory import Environments
from rl_pipeline.evaluation.communication_table import show_communication
from rl_pipeline.evaluation.environments import open_evaluation_environments
from rl_pipeline.evaluation.rollout import play_episodes
from rl_pipeline.evaluation.selection import Selection
from rl_pipeline.experiment.evaluations import Episodes, EvaluationSummary, summarise
from rl_pipeline.experiment.loggers.progress import counted
from rl_pipeline.experiment.plots.learning_curves import grouped
from rl_pipeline.experiment.record import find_records
from rl_pipeline.experiment.recording.bags import recorded

CSV_COLUMNS: Final = (
    *("experiment", "environment", "algorithm", "training_seed", "model"),
    *("seed", "return", "length", "success", "lost"),
)


@dataclass(frozen=True)
class AgentResult:
    """An agent and the episodes that it played.

    Attributes:
        selection: the agent and its configuration.
        seed: of the first episode; episode k has seed + k.
        episodes: returns, lengths and outcomes.
    """

    selection: Selection
    seed: int
    episodes: Episodes

    @property
    def label(self) -> str:
        """Name of the agent in tables: the experiment and the model."""
        return _label(self.selection)


def evaluate_agents(
    selections: Sequence[Selection],
    *,
    episodes: int | None,
    seed: int | None,
    monitor: bool = False,
    record_bag: Path | None = None,
    console: Console,
) -> Iterator[AgentResult]:
    """Let each agent play its episodes; agents of equal environments share them, one after another.

    Args:
        selections: the agents.
        episodes: number of episodes of each; None: that of its `evaluation` section.
        seed: of the first episode; None: that of its `evaluation` section.
        monitor: show a live table of the communication with the players.
        record_bag: folder for ROS 2 bags of the episodes; of several agents in a folder each.
        console: where progress is shown.
    """
    with ExitStack() as opened:
        venv: VecEnv | None = None
        shared: tuple[str, int] | None = None
        # Sorted, so that agents of equal environments follow each other and players are started once for all of them.
        for selection in sorted(selections, key=_environment_key):
            settings = selection.config.evaluation
            count = episodes or settings.num_episodes
            first = settings.seed if seed is None else seed
            # Replace the environments unless those of the agent before suit this one too.
            key = (_environment_key(selection), count)
            if venv is None or shared != key:
                opened.close()
                venv = _open_environments(opened, selection.config, count, first)
                shared = key
            several = len(selections) > 1
            bags = record_bag / _label(selection).replace(" ", "_") if record_bag and several else record_bag
            # Play, with progress or the live table on the terminal.
            with (
                show_communication(venv, console, monitor) as each_step,
                recorded(venv, bags, count, environment=selection.config.environment.id, agent=selection.name),
                counted(f"evaluating {_label(selection)}", count, "episodes", None if monitor else console) as progress,
            ):
                played = play_episodes(
                    selection.make_agent(venv),
                    venv,
                    count,
                    first,
                    deterministic=settings.deterministic,
                    each_step=each_step,
                    progress=progress,
                )
            yield AgentResult(selection, first, played)


def _open_environments(opened: ExitStack, config: Config, episodes: int, seed: int) -> VecEnv:
    """Open environments for so many episodes, with player logs in a temporary folder; closed by `opened`."""
    logs = opened.enter_context(tempfile.TemporaryDirectory())
    environments = opened.enter_context(Environments(config, Path(logs)))
    return open_evaluation_environments(environments, config, environments.evaluation_size(episodes), seed)


def print_comparison(results: Sequence[AgentResult], console: Console) -> None:
    """Print a row for each model, and one for the repetitions of an experiment that differ in their seeds alone."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("model", overflow="fold")
    for heading in ("episodes", "return", "sd", "95% interval", "IQM", "success", "length"):
        table.add_column(heading, justify="right", no_wrap=True)
    # Single models.
    for result in results:
        table.add_row(escape(result.label), *_cells(summarise(result.episodes)))
    # Repetitions with other seeds, all their episodes together.
    repetitions = _group_repetitions(results)
    if repetitions:
        table.add_section()
    for label, runs in repetitions.items():
        table.add_row(escape(label), *_cells(summarise(*(run.episodes for run in runs))), style="bold")
    console.print(table)


def episodes_csv(results: Sequence[AgentResult]) -> str:
    """Return CSV with a line for each episode; `success` is empty where the environment does not report it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for result in results:
        config, played = result.selection.config, result.episodes
        folder, model = result.selection.folder, result.selection.model
        # Columns that all episodes of an agent share.
        agent = (
            folder.path if folder else "",
            config.environment.id,
            config.algorithm.name,
            config.training.seed,
            model.stem if model else result.selection.agent,
        )
        for index in range(len(played.returns)):
            success = "" if played.successes is None else int(played.successes[index])
            returned = f"{played.returns[index]:.6g}"
            lost = int(played.lost[index])
            writer.writerow((*agent, result.seed + index, returned, played.lengths[index], success, lost))
    return text.getvalue()


def comparison_figures(results: Sequence[AgentResult]) -> dict[str, Any]:
    """Return the figures of the table by its labels, for JSON."""
    summaries = {result.label: summarise(result.episodes) for result in results}
    for label, runs in _group_repetitions(results).items():
        summaries[label] = summarise(*(run.episodes for run in runs))
    return {label: summary and dataclasses.asdict(summary) for label, summary in summaries.items()}


def _environment_key(selection: Selection) -> str:
    """Return a text that is equal for agents that can play in the same environments."""
    config = selection.config
    return json.dumps([config.environment.model_dump(), config.simulation.model_dump(), config.wrappers], default=str)


def _label(selection: Selection) -> str:
    if selection.model is None:
        return f"{selection.agent} agent"
    return f"{selection.folder.path.name} {selection.model.stem}" if selection.folder else str(selection.model)


def _group_repetitions(results: Sequence[AgentResult]) -> dict[str, list[AgentResult]]:
    """Return results by label for each model name of runs that differ in their seeds alone, if there are several."""
    # Compare models of one name only: best models with best models, checkpoints with the same checkpoint.
    by_model: dict[str, list[AgentResult]] = {}
    for result in results:
        if result.selection.model is not None and result.selection.folder is not None:
            by_model.setdefault(result.selection.model.stem, []).append(result)
    found: dict[str, list[AgentResult]] = {}
    for model, members in by_model.items():
        runs = {member.selection.folder.path: member for member in members if member.selection.folder is not None}
        # The records of the runs hold the settings that are compared.
        records = find_records([str(path) for path in runs], Path())
        for group in grouped(records):
            if len(group.records) > 1:
                label = f"{group.label} {model}, {len(group.records)} runs"
                found[label] = [runs[record.folder.path] for record in group.records]
    return found


def _cells(summary: EvaluationSummary | None) -> tuple[str, ...]:
    """Return the cells of a row; `-` for figures that cannot be computed, such as the spread of one episode."""
    if summary is None:
        return ("0", *("-",) * 6)
    return (
        f"{summary.episodes}",
        f"{summary.mean_return:.2f}",
        "-" if summary.sd_return is None else f"{summary.sd_return:.2f}",
        "-" if summary.return_interval is None else "{:.2f} to {:.2f}".format(*summary.return_interval),
        f"{summary.iqm_return:.2f}",
        "-" if summary.success_rate is None else f"{summary.success_rate:.1%}",
        f"{summary.mean_length:.1f}",
    )
