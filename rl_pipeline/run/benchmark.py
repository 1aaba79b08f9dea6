"""`rl-pipeline benchmark`: run a benchmark and print its figures."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from rl_pipeline.errors import UnknownNameError
from rl_pipeline.experiment.writing import check_destination, write_text
from rl_pipeline.run.benchmarks import worlds
from rl_pipeline.run.benchmarks.transport import Measurement, measure_transport

BENCHMARKS: Final = ("transport", "worlds")


def benchmark(
    what: str,
    console: Console,
    *,
    players: int = 16,
    seconds: float = 1.0,
    repetitions: int = 3,
    json_file: Path | None = None,
) -> None:
    """Run one benchmark, print its table and write its figures as JSON when a file is named.

    Raises:
        InputError: there is no such benchmark, or the file cannot be written.
    """
    if what not in BENCHMARKS:
        raise UnknownNameError("benchmark", what, BENCHMARKS)
    if json_file is not None:
        check_destination(json_file, "--json")
    figures = (_transport if what == "transport" else _worlds)(console, players, seconds, repetitions)
    if json_file is not None:
        write_text(json_file, json.dumps(figures, indent=2) + "\n")


def _transport(console: Console, players: int, seconds: float, repetitions: int) -> dict[str, Any]:
    with console.status("starting players") as status:
        measurement = measure_transport(players, seconds=seconds, repetitions=repetitions, progress=status.update)
    console.print(_table(measurement))
    console.print(
        "Echo: as many processes, each answering the same bytes with the same bytes on loopback; it was measured next "
        "to each case, and the ratio is of those two. Median of the repetitions, with the least and the greatest."
    )
    return measurement.to_json()


def _worlds(console: Console, players: int, seconds: float, repetitions: int) -> dict[str, Any]:
    with console.status("starting players") as status:
        measurement = worlds.measure_worlds(players, seconds=seconds, repetitions=repetitions, progress=status.update)
    table = Table(title="Environment steps per second, embedded players")
    table.add_column("case")
    table.add_column("steps/s", justify="right")
    table.add_column("spread", justify="right")
    table.add_column("processor time", justify="right")
    for case in (measurement.single, measurement.many):
        rate, cost = statistics.median(case.rates), statistics.median(case.costs)
        table.add_row(case.name, f"{rate:,.0f}", _spread(case.rates, ",.0f"), f"{cost:.0f} us")
    table.add_row("MuJoCo alone", "", "", f"{statistics.median(measurement.physics):.0f} us")
    table.add_section()
    ratios = measurement.ratios
    table.add_row("many worlds, against one", f"{statistics.median(ratios):.1f} times", _spread(ratios, ".1f"))
    console.print(table)
    console.print(
        "Processor time: of an environment step, in all processes together; MuJoCo alone: of its steps and rays. "
        "Median of the repetitions, with the least and the greatest."
    )
    return measurement.to_json()


def _spread(values: list[float], form: str) -> str:
    return f"{min(values):{form}} to {max(values):{form}}"


def _table(measurement: Measurement) -> Table:
    table = Table(
        title=f"Environment steps per second, {measurement.request_bytes} bytes out, {measurement.response_bytes} back"
    )
    table.add_column("case")
    table.add_column("steps/s", justify="right")
    table.add_column("of the echo", justify="right")
    table.add_column("spread", justify="right")
    table.add_column("floor", justify="right")
    for case in measurement.cases:
        table.add_row(
            case.name,
            f"{statistics.median(case.rates):,.0f}",
            f"{statistics.median(case.ratios):.2f}",
            f"{min(case.ratios):.2f} to {max(case.ratios):.2f}",
            f"{case.floor:.2f}" if case.floor else "",
        )
    table.add_section()
    for name, speedup in measurement.speedups():
        table.add_row(name, "", f"{speedup:.1f} times", "", "")
    return table
