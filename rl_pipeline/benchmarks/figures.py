"""What a benchmark found, as a table for a person and as values for a program."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

Measured = TypeVar("Measured")

SHARE: Final = "share of the echo"
TIMES: Final = "times as fast"
RATE: Final = "steps/s"
IMPORTS: Final = "of it bare imports"


@dataclass(frozen=True)
class Bar:
    """One figure of a benchmark that is judged, as a bar of its chart.

    Attributes:
        name: the case.
        values: the figure, one a repetition.
        reach: what is good enough; 0: none is set.
        unit: `SHARE`, `TIMES`, `RATE` or `IMPORTS`.
    """

    name: str
    values: Sequence[float]
    reach: float = 0.0
    unit: str = SHARE


@dataclass(frozen=True)
class Figures:
    """The outcome of one benchmark.

    Attributes:
        title: what was measured, in which unit.
        columns: headings; the first column names the case.
        rows: cells as text, one tuple a case.
        note: how to read them.
        values: everything measured, for JSON.
        bars: the figures that are judged.
        draw: draws a chart of its own into a file; None: the bars are drawn.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str
    values: dict[str, Any]
    bars: Sequence[Bar] = ()
    draw: Callable[[Path], None] | None = None


def interleaved(
    cases: Sequence[tuple[str, Measured]], repetitions: int, progress: Callable[[str], object]
) -> Iterator[Measured]:
    """Every case in turn, so many times over, each with its name told to `progress` before."""
    for repetition in range(repetitions):
        for name, case in cases:
            progress(f"{name} ({repetition + 1} of {repetitions})")
            yield case


def spread(ratios: Sequence[float]) -> str:
    """The least and the greatest of several measurements."""
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


def times(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """How many times as large one is as the other: the median of the ratios pair by pair."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))
