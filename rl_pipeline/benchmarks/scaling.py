"""Rates by number of players and by size of a response: the scaling benchmark."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from rl_pipeline.benchmarks.camera_images import ImageTask
from rl_pipeline.benchmarks.canned import canned_simulation, rate_of, request_size, step_batched
from rl_pipeline.benchmarks.echo import Echo
from rl_pipeline.benchmarks.figures import Figures, interleave, spread
from rl_pipeline.interfaces.images import ImageSpec
from rl_pipeline.plurals import plural

NOTE: Final = (
    "Echo: as many processes, each answering the same bytes with the same bytes on loopback, measured next to each "
    "point. The payload is a raw image next to the state. Median of the repetitions."
)
PLAYERS: Final = (1, 2, 4, 8, 16, 32, 64, 128)
IMAGE_SIZES: Final = (0, 1_000, 10_000, 100_000, 1_000_000, 3_000_000)
"""Bytes of the image in a response, of points that differ in their payload."""
PAYLOAD_PLAYERS: Final = 4
"""Players of these points."""


@dataclass
class Point:
    """A number of players with an image of one size.

    Attributes:
        players: player processes.
        image: bytes of the image in a response.
        response_bytes: of a whole response on the wire.
        rates: environment steps per second, one for each repetition.
        echo_rates: those of the echo.
    """

    players: int
    image: int
    response_bytes: int = 0
    rates: list[float] = field(default_factory=list)
    echo_rates: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Shares of the echo, one for each repetition."""
        return [rate / echo for rate, echo in zip(self.rates, self.echo_rates, strict=True)]

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        rate, echo = statistics.median(self.rates), statistics.median(self.echo_rates)
        share = f"{statistics.median(self.ratios):.2f}"
        name = f"{self.players} {plural(self.players, 'player')}"
        return name, f"{self.response_bytes:,} B", f"{rate:,.0f}", f"{echo:,.0f}", share, spread(self.ratios)


def measure_scaling(
    players: int = PLAYERS[-1],
    *,
    seconds: float = 0.5,
    repetitions: int = 3,
    progress: Callable[[str], object] = str,
) -> Figures:
    """Measure 1 to `players` players, and responses of 500 bytes to 3 MB.

    Args:
        players: largest number of players.
        seconds: length of one measurement.
        repetitions: measurements of each point, in a row.
        progress: called with the name of each case.
    """
    # Points in a row, not in turn: 128 idle players would take part of the processor.
    by_players = [Point(count, 0) for count in PLAYERS if count <= players]
    by_payload = [Point(min(players, PAYLOAD_PLAYERS), size) for size in IMAGE_SIZES]
    for point in (*by_players, *by_payload):
        _measure(point, seconds, repetitions, progress)
    return Figures(
        "Environment steps per second, by number of players and by size of a response",
        ("players", "response", "steps/s", "echo", "of the echo", "spread"),
        [point.row() for point in (*by_players, *by_payload)],
        NOTE,
        {"by_players": [asdict(point) for point in by_players], "by_payload": [asdict(point) for point in by_payload]},
        draw=lambda path: _draw(path, by_players, by_payload),
    )


def _measure(point: Point, seconds: float, repetitions: int, progress: Callable[[str], object]) -> None:
    """Measure one point; its processes end with it, to leave the processor to the next."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        # One row of pixels gives any size, to the nearest multiple of 3 bytes.
        task = ImageTask(ImageSpec(1, point.image // 3)) if point.image else None
        config, point.response_bytes = canned_simulation(directory, image=bytes(point.image // 3 * 3))
        step = step_batched(stack, config, directory / "logs", point.players, task)
        echo = stack.enter_context(Echo(point.players, request_size(), point.response_bytes)).round
        # The echo comes right before each measurement, on a machine in the same state.
        name = f"{point.players} {plural(point.players, 'player')}, {point.response_bytes:,} bytes"
        for _ in interleave([(name, point)], repetitions, progress):
            point.echo_rates.append(rate_of(echo, point.players, seconds))
            point.rates.append(rate_of(step, point.players, seconds))


def _draw(path: Path, by_players: Sequence[Point], by_payload: Sequence[Point]) -> None:
    from rl_pipeline.benchmarks.charts import Line, draw_scaling

    def lines(points: Sequence[Point], sizes: Sequence[int]) -> tuple[Line, Line]:
        ours = Line("environment steps", sizes, [point.rates for point in points])
        return ours, Line("plain echo", sizes, [point.echo_rates for point in points])

    draw_scaling(
        path,
        lines(by_players, [point.players for point in by_players]),
        f"players, {by_players[0].response_bytes} B a response",
        lines(by_payload, [point.response_bytes for point in by_payload]),
        f"bytes a response, {by_payload[0].players} players",
    )
