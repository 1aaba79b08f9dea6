"""Gain by TCP_QUICKACK with the traffic of Unity's connector: the connector benchmark.

The connector writes each field of a message separately, with Nagle's algorithm on, and polls for replies every 10 ms
(its SleepTimeSeconds). A server whose kernel delays acknowledgements by 40 ms thereby delays each of its messages by
as much. The same players are stepped with and without TCP_QUICKACK.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from rl_pipeline.benchmarks.canned import Round, canned_simulation, rate_of, step_batched
from rl_pipeline.benchmarks.figures import RATE, Bar, Figures, interleave, times
from rl_pipeline.plurals import plural
from rl_pipeline.transport import socket_options

NOTE: Final = (
    "Players write field by field with Nagle's algorithm on and poll for replies, as Unity's ROS-TCP-Connector does. "
    "Plain: the same server without TCP_QUICKACK. Median of the repetitions; the gain is pair by pair."
)
_REACH: Final = {(1, 0.010): 80.0, (8, 0.010): 600.0, (1, 0.001): 450.0}
"""Targets in steps per second of all players together, by number of players and seconds between polls."""


@dataclass
class Case:
    """Players with one polling period, stepped with TCP_QUICKACK and without.

    Attributes:
        players: player processes.
        poll: seconds between two looks of a player for data.
        rates: environment steps per second, one for each repetition.
        plain_rates: the same without TCP_QUICKACK.
    """

    players: int
    poll: float
    rates: list[float] = field(default_factory=list)
    plain_rates: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Label of the case."""
        return f"{self.players} {plural(self.players, 'player')}, polling every {1000 * self.poll:g} ms"

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        gain = times(self.rates, self.plain_rates)
        rate, plain = statistics.median(self.rates), statistics.median(self.plain_rates)
        return self.name, f"{rate:,.0f}", f"{plain:,.0f}", f"{gain:.1f} times"


def measure_connector(
    players: int = 8, *, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Figures:
    """Measure one and `players` players with the connector's traffic, polling by default and as recommended.

    Args:
        players: size of the batch.
        seconds: length of one measurement.
        repetitions: measurements of each case, interleaved.
        progress: called with the name of each case.
    """
    cases = [Case(1, 0.010), Case(players, 0.010), Case(1, 0.001), Case(players, 0.001)]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        named = [(case.name, (case, _step(stack, directory / str(index), case))) for index, case in enumerate(cases)]
        # Acknowledgements are an option of each receive: the same players serve both sides.
        for case, step in interleave(named, repetitions, progress):
            case.rates.append(rate_of(step, case.players, seconds))
            with _delayed_acknowledgements():
                case.plain_rates.append(rate_of(step, case.players, seconds))
    return Figures(
        "Environment steps per second with the traffic of Unity's connector",
        ("players", "steps/s", "plain server", "gain"),
        [case.row() for case in cases],
        NOTE,
        {"cases": [asdict(case) for case in cases]},
        [Bar(case.name, case.rates, _REACH.get((case.players, case.poll), 0.0), RATE) for case in cases],
    )


def _step(stack: ExitStack, directory: Path, case: Case) -> Round:
    directory.mkdir()
    config, _ = canned_simulation(directory, options=["--connector", str(case.poll)])
    return step_batched(stack, config, directory / "logs", case.players)


@contextmanager
def _delayed_acknowledgements() -> Iterator[None]:
    """Leave acknowledgements to the kernel in the endpoints of this process, as a plain server does."""
    option = socket_options.QUICKACK
    socket_options.QUICKACK = None
    try:
        yield
    finally:
        socket_options.QUICKACK = option
