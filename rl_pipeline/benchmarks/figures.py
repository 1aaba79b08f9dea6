"""Figures of a benchmark: a table, values for JSON, and bars of a chart; and arithmetic that benchmarks share."""

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
    """A figure of a benchmark with its target, drawn as a bar of the chart.

    Attributes:
        name: the case.
        values: the figure of each repetition.
        reach: target; 0: none is set.
        unit: `SHARE`, `TIMES`, `RATE` or `IMPORTS`.
    """

    name: str
    values: Sequence[float]
    reach: float = 0.0
    unit: str = SHARE


@dataclass(frozen=True)
class Figures:
    """Outcome of one benchmark.

    Attributes:
        title: quantity and unit.
        columns: headings; the first column names the case.
        rows: cells as text, one tuple for each case.
        note: explanation below the table.
        values: everything measured, for JSON.
        bars: figures for the chart and the summary of `all`.
        draw: writes a chart of its own to a file; None: the bars are drawn.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str
    values: dict[str, Any]
    bars: Sequence[Bar] = ()
    draw: Callable[[Path], None] | None = None


def interleave(
    cases: Sequence[tuple[str, Measured]], repetitions: int, progress: Callable[[str], object]
) -> Iterator[Measured]:
    """Yield all cases in turn, once for each repetition, after passing the name of each to `progress`.

    A machine that is slow or busy for a while is so for all cases.
    """
    for repetition in range(repetitions):
        for name, case in cases:
            progress(f"{name} ({repetition + 1} of {repetitions})")
            yield case


def spread(ratios: Sequence[float]) -> str:
    """Return the least and the greatest of several measurements as text."""
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


def times(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios, pair by pair."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))
