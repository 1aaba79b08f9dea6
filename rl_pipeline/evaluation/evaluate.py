"""`rl-pipeline evaluate`: play many episodes with one or several agents and report their figures."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from rl_pipeline.config import Config
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.agents import TRAINED
from rl_pipeline.evaluation.comparison import (
    AgentResult,
    comparison_figures,
    episodes_csv,
    evaluate_agents,
    print_comparison,
)
from rl_pipeline.evaluation.report import print_evaluation_report
from rl_pipeline.evaluation.selection import Selection, select
from rl_pipeline.experiment.atomic_files import check_destination, write_text
from rl_pipeline.experiment.evaluations import EvaluationSummary, summarise
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import models_of
from rl_pipeline.experiment.record import find_records

STANDARD_OUTPUT: Final = Path("-")


def evaluate(
    base: Config,
    *,
    experiments: Sequence[str],
    models: Sequence[str],
    agent: str,
    overrides: Sequence[str],
    episodes: int | None,
    seed: int | None,
    json_file: Path | None,
    csv_file: Path | None,
    monitor: bool,
    record_bag: Path | None,
    console: Console,
    is_named: bool = False,
) -> None:
    """Play the episodes, print a table, and write the files that are named.

    Args:
        base: the configuration without an experiment.
        experiments: folders, names or patterns of names; none: the newest.
        models: names of models or files; none: that of the `play` section.
        agent: `trained`, `random` or `zero`.
        overrides: put over each experiment's configuration.
        episodes: number of episodes of each agent; None: that of its `evaluation` section.
        seed: of the first episode; None: that of its `evaluation` section.
        json_file: file for the figures; `-` is standard output, in place of the table.
        csv_file: file for one line per episode.
        monitor: show a live table of the communication with the players.
        record_bag: folder for a ROS 2 bag of each episode, `episode_<k>`; those of several agents are in a folder for
            each. None: none are written.
        console: where the table is printed.
        is_named: whether the command line names the file of `base`, see `select`.

    Raises:
        InputError: there is no such agent, experiment or model, a model does not fit, every simulator was lost, or a
            file cannot be written.
    """
    # Check the destinations first: minutes of episodes would be lost to a missing folder.
    if json_file is not None and json_file != STANDARD_OUTPUT:
        check_destination(json_file, "--json")
    if csv_file is not None:
        check_destination(csv_file, "--csv")

    # Play.
    selections = _select_all(base, experiments, models, agent, overrides, is_named)
    results = list(
        evaluate_agents(
            selections, episodes=episodes, seed=seed, monitor=monitor, record_bag=record_bag, console=console
        )
    )

    # Report on the terminal and in files.
    text = _report(results, None if json_file == STANDARD_OUTPUT else console)
    if json_file == STANDARD_OUTPUT:
        console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
    elif record_bag is not None:
        console.print(f"  bags          {escape(str(record_bag))}", soft_wrap=True, highlight=False)
    if json_file is not None and json_file != STANDARD_OUTPUT:
        write_text(json_file, text)
    if csv_file is not None:
        write_text(csv_file, episodes_csv(results))


def _select_all(
    base: Config,
    experiments: Sequence[str],
    models: Sequence[str],
    agent: str,
    overrides: Sequence[str],
    is_named: bool,
) -> list[Selection]:
    """Return a selection for each model of each experiment. A file is a model by itself; a baseline has none."""
    files = [model for model in models if Path(model).is_file()]
    # Pairs of experiment and model, either of which may be left to `select`.
    chosen: list[tuple[str | None, str | None]] = []
    if agent != TRAINED:
        chosen.extend((experiment, None) for experiment in experiments)
        chosen = chosen or [(None, None)]
    elif files and not experiments:
        chosen.extend((None, file) for file in files)
    else:
        for folder in _find_folders(base, experiments):
            for model in models or [base.play.pretrained_model]:
                names = [model] if Path(model).is_file() else models_of(folder, model)
                chosen.extend((str(folder.path), name) for name in names)
    return [
        select(base, experiment=experiment, model=model, agent=agent, overrides=overrides, is_named=is_named)
        for experiment, model in chosen
    ]


def _find_folders(base: Config, experiments: Sequence[str]) -> list[ExperimentFolder]:
    """Return the folders of these experiments, or that of the `play` section."""
    directory = base.experiment.directory
    if experiments:
        return [record.folder for record in find_records(experiments, directory)]
    return [ExperimentFolder.find(base.play.experiment, directory)]


def _report(results: list[AgentResult], console: Console | None) -> str:
    """Print a table, unless `console` is None; returns the same figures as JSON."""
    if len(results) > 1:
        facts = comparison_figures(results)
        if console is not None:
            print_comparison(results, console)
    else:
        summary = _summarise(results[0])
        facts = _facts(results[0], summary)
        if console is not None:
            print_evaluation_report(summary, str(facts["agent"]), str(facts["environment"]), console)
    return json.dumps(facts, indent=2) + "\n"


def _summarise(result: AgentResult) -> EvaluationSummary:
    summary = summarise(result.episodes)
    if summary is None:
        raise InputError("every simulator was lost before an episode ended: see the player logs")
    return summary


def _facts(result: AgentResult, summary: EvaluationSummary) -> dict[str, Any]:
    """Return the figures of one agent for JSON."""
    return {
        "agent": result.selection.name,
        "environment": result.selection.config.environment.id,
        "seed": result.seed,
        **dataclasses.asdict(summary),
    }
