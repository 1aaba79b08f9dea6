"""`rl-pipeline runs`: which experiments there are, what sets them apart, and away with some."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.record import ExperimentRecord, differing_settings, find_records, setting_text

COLOURS: Final = {"done": "green", "running": "cyan", "interrupted": "yellow", "failed": "red"}
MISSING: Final = "-"


def filtered(records: Sequence[ExperimentRecord], conditions: Sequence[str]) -> list[ExperimentRecord]:
    """The records that meet every condition, each `key=value`: a setting's full name, or `status`.

    Raises:
        InputError: a condition is not of that form, or no record has its key.
    """
    chosen = list(records)
    for condition in conditions:
        key, sign, value = condition.partition("=")
        if not sign:
            raise InputError(f"--where: expected KEY=VALUE, such as training.seed=1, found {condition!r}")
        known = {name for record in records for name in record.settings} | {"status"}
        if records and key not in known:
            raise UnknownNameError("key", key, known, where="--where")
        chosen = [record for record in chosen if _said(record, key) == value]
    return chosen


def list_runs(records: Sequence[ExperimentRecord], console: Console) -> None:
    """Print a line a run: what it was, how it ended and how good its best model is."""
    if not records:
        console.print("no experiments yet: rl-pipeline train makes one")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("experiment", overflow="fold")
    for heading in ("seed", "status", "started", "steps", "success", "return"):
        table.add_column(heading, justify="left" if heading == "status" else "right", no_wrap=True)
    for record in records:
        colour = COLOURS.get(record.status, "dim")
        table.add_row(
            escape("/".join(record.folder.path.parts[-3:])), setting_text(record.settings.get("training.seed")),
            f"[{colour}]{record.status}[/]", _started(record), _steps(record), _success(record), _return(record),
        )  # fmt: skip
    console.print(table)


def runs_json(records: Sequence[ExperimentRecord]) -> str:
    """The same as a JSON list: an object a run, null for what is not known."""
    return json.dumps([_facts(record) for record in records], indent=2)


def _facts(record: ExperimentRecord) -> dict[str, Any]:
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


def compare_runs(records: Sequence[ExperimentRecord], console: Console) -> None:
    """Print the settings that are not the same in all runs, a column a run, with the figures of their best models.

    Raises:
        InputError: there are fewer than two runs.
    """
    if len(records) < 2:
        raise InputError(f"expected two or more experiments to compare, found {len(records)}")
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("setting", style="cyan", overflow="fold")
    for record in records:
        table.add_column(escape(record.name), overflow="fold")
    for key, values in differing_settings(records).items():
        table.add_row(escape(key), *(escape(setting_text(value)) for value in values))
    table.add_section()
    for what, figure in {"status": _status, "steps": _steps, "success": _success, "return": _return}.items():
        table.add_row(what, *(figure(record) for record in records))
    console.print(table)


def remove_runs(records: Sequence[ExperimentRecord], console: Console) -> None:
    """Delete the folders and say how much room that made."""
    for record in records:
        size = record.size()
        record.remove()
        console.print(f"removed {escape(str(record.folder.path))} ({size / 2**20:.1f} MB)", soft_wrap=True)


def runs_to_remove(patterns: Sequence[str], directory: Path) -> list[ExperimentRecord]:
    """The runs that the patterns name. Raises `InputError` when one of them is still running, or names nothing."""
    records = find_records(patterns, directory)
    running = [str(record.folder.path) for record in records if record.status == "running"]
    if running:
        raise InputError(f"{', '.join(running)}: still running, by its metadata.json; --force removes it all the same")
    return records


def _said(record: ExperimentRecord, key: str) -> str:
    return record.status if key == "status" else setting_text(record.settings.get(key))


def _status(record: ExperimentRecord) -> str:
    return record.status


def _started(record: ExperimentRecord) -> str:
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
