"""`rl-pipeline benchmark`: run a benchmark and print its figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from rl_pipeline.errors import UnknownNameError
from rl_pipeline.experiment.writing import check_destination, write_text
from rl_pipeline.run.benchmarks.connector import measure_connector
from rl_pipeline.run.benchmarks.figures import Figures
from rl_pipeline.run.benchmarks.ros_endpoint import measure_ros_endpoint
from rl_pipeline.run.benchmarks.soak import soak
from rl_pipeline.run.benchmarks.transport import measure_transport
from rl_pipeline.run.benchmarks.worlds import measure_worlds

BENCHMARKS: Final[dict[str, Callable[..., Figures]]] = {
    "transport": measure_transport,
    "connector": measure_connector,
    "worlds": measure_worlds,
    "soak": soak,
    "ros-endpoint": measure_ros_endpoint,
}


def benchmark(
    what: str,
    console: Console,
    *,
    players: int | None = None,
    seconds: float = 1.0,
    repetitions: int = 3,
    minutes: float = 1.0,
    json_file: Path | None = None,
) -> None:
    """Run one benchmark, print its table and write its figures as JSON when a file is named.

    Args:
        what: a name of `BENCHMARKS`.
        console: where the table goes.
        players: players of the batch; None: what the benchmark takes by itself.
        seconds: length of one measurement.
        repetitions: measurements of each case, interleaved.
        minutes: length of the soak.
        json_file: where the values go too.

    Raises:
        InputError: there is no such benchmark, or the file cannot be written.
    """
    measure = BENCHMARKS.get(what)
    if measure is None:
        raise UnknownNameError("benchmark", what, BENCHMARKS)
    if json_file is not None:
        check_destination(json_file, "--json")
    length = {"minutes": minutes} if what == "soak" else {"seconds": seconds, "repetitions": repetitions}
    size = {} if players is None else {"players": players}
    with console.status("starting players") as status:
        figures = measure(**size, **length, progress=status.update)
    console.print(_table(figures))
    console.print(figures.note)
    if json_file is not None:
        write_text(json_file, json.dumps(figures.values, indent=2) + "\n")


def _table(figures: Figures) -> Table:
    table = Table(title=figures.title)
    for index, heading in enumerate(figures.columns):
        table.add_column(heading, justify="right" if index else "left")
    for row in figures.rows:
        table.add_row(*row)
    return table
