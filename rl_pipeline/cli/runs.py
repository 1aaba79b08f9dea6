"""`rl-pipeline runs`: list, compare and remove experiments."""

from __future__ import annotations

import json as json_format
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.options import (
    Directory,
    Experiments,
    MoreExperiments,
    Where,
    directory_or_default,
)
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.record import ExperimentRecord, differing_settings, find_records, setting_text

if TYPE_CHECKING:
    from rich.console import Console

COLOURS: Final = {"done": "green", "running": "cyan", "interrupted": "yellow", "failed": "red"}
MISSING: Final = "-"

app = typer.Typer(
    no_args_is_help=True,
    help="List, compare and remove experiments.",
    epilog="Example: rl-pipeline runs list --where algorithm.name=ppo",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("list", epilog="Example: rl-pipeline runs list 'navigation_*' --where status=done")
def list_runs(
    experiments: Experiments = None,
    experiment: MoreExperiments = None,
    where: Where = None,
    directory: Directory = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")] = False,
) -> None:
    """List experiments, newest first: seed, status, steps, and results of the best model."""
    records = find_records([*(experiments or []), *(experiment or [])], directory_or_default(directory))
    records = matching_records(records, where or [])
    if json:
        typer.echo(json_format.dumps([_facts(record) for record in records], indent=2))
    else:
        print_runs(records, make_console())


@app.command(epilog="Example: rl-pipeline runs compare navigation_ppo navigation_sac")
def compare(
    experiments: Experiments = None,
    experiment: MoreExperiments = None,
    where: Where = None,
    directory: Directory = None,
) -> None:
    """Show the settings that differ between experiments, with their results."""
    records = find_records([*(experiments or []), *(experiment or [])], directory_or_default(directory))
    print_comparison(matching_records(records, where or []), make_console())


@app.command(epilog="Example: rl-pipeline runs remove 'smoke*'")
def remove(
    experiments: Experiments = None,
    experiment: MoreExperiments = None,
    directory: Directory = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Remove those that seem to be running too.")] = False,
) -> None:
    """Remove experiments with all their models and videos; asks first."""
    patterns = [*(experiments or []), *(experiment or [])]
    if not patterns:
        raise InputError("expected the experiments to remove: folders, names, or patterns such as 'smoke*'")
    records = find_records(patterns, directory_or_default(directory))
    if not force:
        refuse_running(records)

    # Show exactly the folders that the answer is about.
    console = make_console()
    for record in records:
        console.print(str(record.folder.path), soft_wrap=True, markup=False)
    number = "this experiment" if len(records) == 1 else f"these {len(records)} experiments"
    if not yes and not typer.confirm(f"remove {number}?"):
        return
    for record in records:
        size = record.size()
        record.remove()
        console.print(f"removed {escape(str(record.folder.path))} ({size / 2**20:.1f} MB)", soft_wrap=True)


def matching_records(records: Sequence[ExperimentRecord], conditions: Sequence[str]) -> list[ExperimentRecord]:
    """Return the records that meet every condition, each `key=value`: a setting's full name, or `status`.

    Raises:
        InputError: a condition is not of that form, or no record has its key.
    """
    chosen = list(records)
    for condition in conditions:
        key, sign, value = condition.partition("=")
        if not sign:
            raise InputError(f"--where: expected KEY=VALUE, such as training.seed=1, found {condition!r}")
        # Keys of all records, not of the remaining ones: a condition that none meets is no misspelling.
        known = {name for record in records for name in record.settings} | {"status"}
        if records and key not in known:
            raise UnknownNameError("key", key, known, where="--where")
        chosen = [record for record in chosen if _value(record, key) == value]
    return chosen


def print_runs(records: Sequence[ExperimentRecord], console: Console) -> None:
    """Print a table with a line for each run: settings, status and results of its best model."""
    if not records:
        console.print("no experiments yet: rl-pipeline train makes one")
        return

    # Names are folded rather than cut: they are copied into the next command.
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("experiment", overflow="fold")
    for heading in ("seed", "status", "started", "steps", "success", "return"):
        table.add_column(heading, justify="left" if heading == "status" else "right", no_wrap=True)

    for record in records:
        colour = COLOURS.get(record.status, "dim")
        table.add_row(
            escape("/".join(record.folder.path.parts[-3:])),
            setting_text(record.settings.get("training.seed")),
            f"[{colour}]{record.status}[/]",
            _started(record),
            _steps(record),
            _success(record),
            _return(record),
        )
    console.print(table)


def print_comparison(records: Sequence[ExperimentRecord], console: Console) -> None:
    """Print the settings that differ, a column for each run, and the results of their best models.

    Raises:
        InputError: there are fewer than two runs.
    """
    # One run has no differing settings.
    if len(records) < 2:
        raise InputError(f"expected two or more experiments to compare, found {len(records)}")
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("setting", style="cyan", overflow="fold")
    for record in records:
        table.add_column(escape(record.name), overflow="fold")

    # Settings first, then results, as sections of one table so that their columns align.
    for key, values in differing_settings(records).items():
        table.add_row(escape(key), *(escape(setting_text(value)) for value in values))
    table.add_section()
    table.add_row("status", *(record.status for record in records))
    for name, cell in {"steps": _steps, "success": _success, "return": _return}.items():
        table.add_row(name, *(cell(record) for record in records))
    console.print(table)


def refuse_running(records: Sequence[ExperimentRecord]) -> None:
    """Raise `InputError` when one of the runs is still running by its metadata."""
    # A killed run has this status too: metadata.json has no later entry.
    running = [str(record.folder.path) for record in records if record.status == "running"]
    if running:
        raise InputError(f"{', '.join(running)}: still running, by its metadata.json; --force removes it all the same")


def _facts(record: ExperimentRecord) -> dict[str, Any]:
    """Return a run as an object of the JSON list; unknown values are null."""
    # A run without an evaluation, or of an earlier version, has fewer facts.
    evaluation = record.evaluation or {}
    return {
        "name": record.name,
        "folder": str(record.folder.path),
        "environment": record.settings.get("environment.id"),
        "algorithm": record.settings.get("algorithm.name"),
        "seed": record.settings.get("training.seed"),
        "status": record.status,
        "started": record.facts.get("started"),
        "timesteps": record.facts.get("timesteps"),
        "success_rate": evaluation.get("success_rate"),
        "mean_return": evaluation.get("mean_return"),
        "sd_return": evaluation.get("sd_return"),
    }


def _value(record: ExperimentRecord, key: str) -> str:
    return record.status if key == "status" else setting_text(record.settings.get(key))


def _started(record: ExperimentRecord) -> str:
    """Return month, day and minute of the start, from an ISO timestamp."""
    return str(record.facts.get("started", MISSING))[5:16].replace("T", " ")


def _steps(record: ExperimentRecord) -> str:
    steps = record.facts.get("timesteps")
    return MISSING if steps is None else f"{steps:,}"


def _success(record: ExperimentRecord) -> str:
    rate = (record.evaluation or {}).get("success_rate")
    return MISSING if rate is None else f"{rate:.0%}"


def _return(record: ExperimentRecord) -> str:
    evaluation = record.evaluation or {}
    if "mean_return" not in evaluation:
        return MISSING
    spread = evaluation.get("sd_return")
    return f"{evaluation['mean_return']:.2f}" + ("" if spread is None else f" ± {spread:.2f}")
