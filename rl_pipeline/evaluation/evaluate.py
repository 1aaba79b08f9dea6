"""`rl-pipeline evaluate`: how good agents are, over many episodes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from rl_pipeline.config import Config
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.agents import TRAINED
from rl_pipeline.evaluation.comparison import Judged, comparison_figures, episodes_csv, judge, print_comparison
from rl_pipeline.evaluation.report import print_evaluation_report
from rl_pipeline.evaluation.selection import Selection, select
from rl_pipeline.experiment.atomic_files import check_destination, write_text
from rl_pipeline.experiment.evaluations import EvaluationSummary, summarise
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import models_of
from rl_pipeline.experiment.record import find_records

STANDARD_OUTPUT = Path("-")


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
        models: names of models or files; none: what the `play` section says.
        agent: `trained`, `random` or `zero`.
        overrides: put over each experiment's configuration.
        episodes: how many each agent plays; None: what the `evaluation` section says.
        seed: of the first episode; None: what the `evaluation` section says.
        json_file: where the figures go too; `-` is standard output, in place of the table.
        csv_file: where a line an episode goes.
        monitor: show the communication with the players too, live.
        record_bag: folder that each episode is written to as a ROS 2 bag, `episode_<k>`; those of several agents are in
            a folder for each; None: none is.
        console: where the table is printed.
        is_named: whether the command line names the file of `base`, see `select`.

    Raises:
        InputError: there is no such agent, experiment or model, a model does not fit, every simulator was lost, or a
            file cannot be written.
    """
    if json_file is not None and json_file != STANDARD_OUTPUT:
        check_destination(json_file, "--json")
    if csv_file is not None:
        check_destination(csv_file, "--csv")
    selections = _selections(base, experiments, models, agent, overrides, is_named)
    judged = list(
        judge(selections, episodes=episodes, seed=seed, monitor=monitor, record_bag=record_bag, console=console)
    )
    text = _report(judged, None if json_file == STANDARD_OUTPUT else console)
    if json_file == STANDARD_OUTPUT:
        console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
    elif record_bag is not None:
        console.print(f"  bags          {escape(str(record_bag))}", soft_wrap=True, highlight=False)
    if json_file is not None and json_file != STANDARD_OUTPUT:
        write_text(json_file, text)
    if csv_file is not None:
        write_text(csv_file, episodes_csv(judged))


def _report(judged: list[Judged], console: Console | None) -> str:
    """Print a table, if there is where to; returns the same as JSON."""
    if len(judged) > 1:
        facts = comparison_figures(judged)
        if console is not None:
            print_comparison(judged, console)
    else:
        summary = _summary(judged[0])
        facts = _facts(judged[0], summary)
        if console is not None:
            print_evaluation_report(summary, str(facts["agent"]), str(facts["environment"]), console)
    return json.dumps(facts, indent=2) + "\n"


def _selections(
    base: Config,
    experiments: Sequence[str],
    models: Sequence[str],
    agent: str,
    overrides: Sequence[str],
    is_named: bool,
) -> list[Selection]:
    """Every model of every experiment that is meant. A file is a model by itself, and a baseline has none."""
    files = [model for model in models if Path(model).is_file()]
    chosen: list[tuple[str | None, str | None]] = []
    if agent != TRAINED:
        chosen.extend((experiment, None) for experiment in experiments)
        chosen = chosen or [(None, None)]
    elif files and not experiments:
        chosen.extend((None, file) for file in files)
    else:
        for folder in _folders(base, experiments):
            for model in models or [base.play.pretrained_model]:
                names = [model] if Path(model).is_file() else models_of(folder, model)
                chosen.extend((str(folder.path), name) for name in names)
    return [
        select(base, experiment=experiment, model=model, agent=agent, overrides=overrides, is_named=is_named)
        for experiment, model in chosen
    ]


def _folders(base: Config, experiments: Sequence[str]) -> list[ExperimentFolder]:
    directory = base.experiment.directory
    if experiments:
        return [record.folder for record in find_records(experiments, directory)]
    return [ExperimentFolder.find(base.play.experiment, directory)]


def _summary(judged: Judged) -> EvaluationSummary:
    summary = summarise(judged.episodes)
    if summary is None:
        raise InputError("every simulator was lost before an episode ended: see the player logs")
    return summary


def _facts(judged: Judged, summary: EvaluationSummary) -> dict[str, Any]:
    selection = judged.selection
    return {
        "agent": selection.name,
        "environment": selection.config.environment.id,
        "seed": judged.seed,
        **dataclasses.asdict(summary),
    }
