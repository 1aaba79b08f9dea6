"""`rl-pipeline benchmark`: run a benchmark, or all of them, print tables and write JSON and charts."""

from __future__ import annotations

import inspect
import json
import statistics
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from rl_pipeline.benchmarks.figures import IMPORTS, RATE, SHARE, Bar, Figures
from rl_pipeline.benchmarks.registration import BENCHMARKS, COMPANIONS, EXCLUDED_FROM_ALL, WITHOUT_CHART
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.atomic_files import check_destination, write_text

ALL: Final = "all"
CHART_SUFFIXES: Final = (".png", ".svg", ".pdf")
SUMMARY_COLUMNS: Final = ("case", "figure", "spread", "to be reached", "")


def benchmark(
    name: str,
    console: Console,
    *,
    options: Mapping[str, Any],
    leave_out: Collection[str] = (),
    json_file: Path | None = None,
    plot: Path | None = None,
) -> None:
    """Run one benchmark, or `all`, print the figures, and write them as JSON and as a chart if files are named.

    Args:
        name: one of `BENCHMARKS`, or `all`.
        console: where the tables go.
        options: keyword arguments of the benchmarks; None stands for the default. Each benchmark gets those that it
            has.
        leave_out: benchmarks to leave out of `all`.
        json_file: file for the values.
        plot: file for the chart; PNG, SVG or PDF by its suffix.

    Raises:
        InputError: there is no such benchmark, a package that it needs is not installed, or a file cannot be written.
    """
    # Fail before minutes of measuring.
    _check_arguments(name, leave_out, json_file, plot)
    figures = _run_all(console, options, leave_out) if name == ALL else _run_with_companions(name, console, options)
    # Files.
    if json_file is not None:
        write_text(json_file, json.dumps(figures.values, indent=2) + "\n")
    if plot is not None:
        _draw(figures, plot)


def _check_arguments(name: str, leave_out: Collection[str], json_file: Path | None, plot: Path | None) -> None:
    """Raise `InputError` for an unknown benchmark or a file that cannot be written."""
    # Names of benchmarks.
    if name != ALL and name not in BENCHMARKS:
        raise UnknownNameError("benchmark", name, [*BENCHMARKS, ALL])
    for excluded in leave_out:
        if excluded not in BENCHMARKS:
            raise UnknownNameError("benchmark", excluded, BENCHMARKS, where="--leave-out")
    # Files.
    if json_file is not None:
        check_destination(json_file, "--json")
    if plot is not None:
        if name in WITHOUT_CHART:
            raise InputError(f"--plot: {name} has no chart")
        if plot.suffix.lower() not in CHART_SUFFIXES:
            raise InputError(f"--plot: expected a file that ends in {', '.join(CHART_SUFFIXES)}, found {plot}")
        check_destination(plot, "--plot")


def _run(name: str, console: Console, options: Mapping[str, Any]) -> Figures:
    """Run one benchmark and print its table."""
    measure = BENCHMARKS[name]
    known = inspect.signature(measure).parameters
    arguments = {key: value for key, value in options.items() if value is not None and key in known}
    with console.status(f"{name}: starting players") as status:
        figures = measure(**arguments, progress=lambda text: status.update(f"{name}: {text}"))
    console.print(_table(figures.title, figures.columns, figures.rows))
    console.print(figures.note)
    return figures


def _run_with_companions(name: str, console: Console, options: Mapping[str, Any]) -> Figures:
    """Run one benchmark and its companions; their values are added by name, and their bars to the chart."""
    figures = _run(name, console, options)
    companions = _run_each(COMPANIONS.get(name, ()), console, options)
    values = figures.values | {companion: others.values for companion, others in companions.items()}
    bars = [*figures.bars, *(bar for others in companions.values() for bar in others.bars)]
    return replace(figures, values=values, bars=bars)


def _run_all(console: Console, options: Mapping[str, Any], leave_out: Collection[str]) -> Figures:
    """Run one benchmark after the other and print a summary of all figures with a target."""
    names = [name for name in BENCHMARKS if name not in EXCLUDED_FROM_ALL and name not in leave_out]
    found = _run_each(names, console, options)
    bars = [bar for figures in found.values() for bar in figures.bars]
    console.print(_table("All figures that are judged", SUMMARY_COLUMNS, [_summary_row(bar) for bar in bars]))
    values: dict[str, Any] = {name: figures.values for name, figures in found.items()}
    values["figures"] = [asdict(bar) for bar in bars]
    return Figures("", (), [], "", values, bars)


def _run_each(names: Iterable[str], console: Console, options: Mapping[str, Any]) -> dict[str, Figures]:
    """Run benchmarks one after the other; skip, with a message, those whose packages are not installed."""
    found: dict[str, Figures] = {}
    for name in names:
        try:
            found[name] = _run(name, console, options)
        except InputError as error:
            console.print(f"{name} is left out. {error}", style="yellow", highlight=False)
    return found


def _summary_row(bar: Bar) -> tuple[str, ...]:
    """Return the cells of a figure in the summary of `all`."""
    middle = statistics.median(bar.values)
    digits = {SHARE: ".2f", IMPORTS: ".2f", RATE: ",.0f"}.get(bar.unit, ".1f")
    reach = f"{bar.reach:{digits}}" if bar.reach else ""
    verdict = "" if not bar.reach else "reached" if middle >= bar.reach else "missed"
    spread = f"{min(bar.values):{digits}} to {max(bar.values):{digits}}"
    return bar.name, f"{middle:{digits}} {bar.unit}", spread, reach, verdict


def _table(title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=title)
    for index, heading in enumerate(columns):
        table.add_column(heading, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _draw(figures: Figures, path: Path) -> None:
    """Write the benchmark's own chart, or bars of its figures."""
    if figures.draw is not None:
        figures.draw(path)
        return
    from rl_pipeline.benchmarks.charts import draw_bars

    draw_bars(path, figures.bars)
