"""`rl-pipeline evaluate`: how good an agent is, over many episodes."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.bags.recorder import recorded
from rl_pipeline.experiment.evaluations import EvaluationSummary, summarise
from rl_pipeline.experiment.progress import counted
from rl_pipeline.experiment.writing import check_destination, write_text
from rl_pipeline.run.environments import Environments
from rl_pipeline.run.evaluation import play_episodes
from rl_pipeline.run.live_communication import watched
from rl_pipeline.run.report import print_evaluation_report
from rl_pipeline.run.selection import Selection


def evaluate(
    selection: Selection,
    *,
    episodes: int | None,
    seed: int | None,
    json_file: Path | None,
    monitor: bool,
    record_bag: Path | None,
    console: Console,
) -> EvaluationSummary:
    """Play the episodes, print a table, and write JSON when a file is named.

    Args:
        selection: what acts, and where.
        episodes: how many; None: what the `evaluation` section says.
        seed: of the first episode; None: what the `evaluation` section says.
        json_file: where the figures go too; `-` is standard output, in place of the table.
        monitor: show the communication with the players too, live.
        record_bag: folder that each episode is written to as a ROS 2 bag, `episode_<k>`; None: none is.
        console: where the table is printed.

    Raises:
        InputError: the model does not fit, every simulator was lost, or the file cannot be written.
    """
    if json_file is not None and str(json_file) != "-":
        check_destination(json_file, "--json")
    settings = selection.config.evaluation
    count = settings.num_episodes if episodes is None else episodes
    first = settings.seed if seed is None else seed
    with (
        tempfile.TemporaryDirectory() as logs,
        Environments(selection.config, Path(logs)) as environments,
    ):
        venv = environments.evaluation(environments.evaluation_size(count), first)
        agent = selection.make_agent(venv)
        with (
            watched(venv, console, monitor) as each_step,
            recorded(venv, record_bag, count, environment=selection.config.environment.id, agent=selection.name),
            counted("evaluating", count, "episodes", None if monitor else console) as progress,
        ):
            result = play_episodes(
                agent, venv, count, first,
                deterministic=settings.deterministic, each_step=each_step, progress=progress,
            )  # fmt: skip
    summary = summarise(result)
    if summary is None:
        raise InputError("every simulator was lost before an episode ended: see the player logs")
    what = selection.name
    where = selection.config.environment.id
    facts: dict[str, Any] = {"agent": what, "environment": where, "seed": first, **dataclasses.asdict(summary)}
    text = json.dumps(facts, indent=2) + "\n"
    if str(json_file) == "-":
        console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
        return summary
    print_evaluation_report(summary, what, where, console)
    if record_bag is not None:
        console.print(f"  bags          {record_bag}", soft_wrap=True, highlight=False)
    if json_file is not None:
        write_text(json_file, text)
    return summary
