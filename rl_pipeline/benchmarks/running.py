"""`rl-pipeline benchmark`: run a benchmark, or all of them, and print the figures."""

from __future__ import annotations

import importlib
import inspect
import json
import statistics
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from rl_pipeline.benchmarks.figures import IMPORTS, RATE, SHARE, Bar, Figures
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.experiment.atomic_files import check_destination, write_text

BENCHMARKS: Final = {
    "transport": "transport:measure_transport",
    "connector": "connector:measure_connector",
    "images": "images:measure_images",
    "worlds": "worlds:measure_worlds",
    "mlagents": "mlagents:measure_mlagents",
    "ros": "ros:measure_ros",
    "ros-endpoint": "ros_endpoint:measure_ros_endpoint",
    "training": "training:measure_training",
    "scaling": "scaling:measure_scaling",
    "double-buffer": "double_buffer:measure_double_buffer",
    "environments": "environments:measure_environments",
    "startup": "startup:measure_startup",
    "memory": "memory:measure_memory",
    "soak": "soak:soak",
}
"""Where each benchmark is, below `rl_pipeline.benchmarks`."""
ALL: Final = "all"
_ALONG: Final = {"transport": ("ros-endpoint",)}
"""What is measured along with a benchmark where what it needs is installed."""
_APART: Final = ("scaling", "soak")
"""What `all` leaves out: a chart of its own, and a test of endurance."""
_WITHOUT_CHART: Final = ("double-buffer", "environments", "memory", "soak")
_CHARTS: Final = (".png", ".svg", ".pdf")


def benchmark(
    what: str,
    console: Console,
    *,
    options: Mapping[str, Any],
    leave_out: Collection[str] = (),
    json_file: Path | None = None,
    plot: Path | None = None,
) -> None:
    """Run one benchmark, or `all`, print the figures, and write them as JSON and as a chart where files are named.

    Args:
        what: one of `BENCHMARKS`, or `all`.
        console: where the tables go.
        options: keyword arguments of the benchmarks; None: what a benchmark takes by itself. Each gets those that it
            has.
        leave_out: benchmarks that `all` leaves out too.
        json_file: where the values go too.
        plot: where the chart goes: PNG, SVG or PDF by its suffix.

    Raises:
        InputError: there is no such benchmark, it needs what is not installed, or a file cannot be written.
    """
    if what != ALL and what not in BENCHMARKS:
        raise UnknownNameError("benchmark", what, [*BENCHMARKS, ALL])
    for name in leave_out:
        if name not in BENCHMARKS:
            raise UnknownNameError("benchmark", name, BENCHMARKS, where="--leave-out")
    if json_file is not None:
        check_destination(json_file, "--json")
    if plot is not None:
        _check_plot(what, plot)
    if what == ALL:
        figures = _measured_all(console, options, leave_out)
    else:
        figures = _measured(what, console, options)
        along = _measured_each(_ALONG.get(what, ()), console, options)
        values = figures.values | {name: others.values for name, others in along.items()}
        bars = [*figures.bars, *(bar for others in along.values() for bar in others.bars)]
        figures = replace(figures, values=values, bars=bars)
    if json_file is not None:
        write_text(json_file, json.dumps(figures.values, indent=2) + "\n")
    if plot is not None:
        _draw(figures, plot)


def _measured(what: str, console: Console, options: Mapping[str, Any]) -> Figures:
    """Run one benchmark and print its table."""
    module, _, name = BENCHMARKS[what].partition(":")
    measure: Callable[..., Figures] = getattr(importlib.import_module(f"rl_pipeline.benchmarks.{module}"), name)
    known = inspect.signature(measure).parameters
    arguments = {key: value for key, value in options.items() if value is not None and key in known}
    with console.status(f"{what}: starting players") as status:
        figures = measure(**arguments, progress=lambda text: status.update(f"{what}: {text}"))
    console.print(_table(figures.title, figures.columns, figures.rows))
    console.print(figures.note)
    return figures


def _measured_all(console: Console, options: Mapping[str, Any], leave_out: Collection[str]) -> Figures:
    """Run one benchmark after the other, and sum up."""
    found = _measured_each([what for what in BENCHMARKS if what not in (*_APART, *leave_out)], console, options)
    bars = [bar for figures in found.values() for bar in figures.bars]
    columns = ("case", "figure", "spread", "to be reached", "")
    console.print(_table("All figures that are judged", columns, [_judged(bar) for bar in bars]))
    values: dict[str, Any] = {what: figures.values for what, figures in found.items()}
    values["figures"] = [asdict(bar) for bar in bars]
    return Figures("", (), [], "", values, bars)


def _measured_each(names: Iterable[str], console: Console, options: Mapping[str, Any]) -> dict[str, Figures]:
    """Run benchmarks one after the other; one whose packages are not installed is left out and told of."""
    found: dict[str, Figures] = {}
    for name in names:
        try:
            found[name] = _measured(name, console, options)
        except InputError as error:
            console.print(f"{name} is left out. {error}", style="yellow", highlight=False)
    return found


def _judged(bar: Bar) -> tuple[str, ...]:
    """Cells of the table of all figures."""
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


def _check_plot(what: str, path: Path) -> None:
    if what in _WITHOUT_CHART:
        raise InputError(f"--plot: {what} has no chart")
    if path.suffix.lower() not in _CHARTS:
        raise InputError(f"--plot: expected a file that ends in {', '.join(_CHARTS)}, found {path}")
    check_destination(path, "--plot")


def _draw(figures: Figures, path: Path) -> None:
    if figures.draw is not None:
        figures.draw(path)
        return
    from rl_pipeline.benchmarks.charts import draw_bars

    draw_bars(path, figures.bars)
