"""The communication with players as a table for a person."""

from __future__ import annotations

from typing import Final

from rich.table import Table

from rl_pipeline.plurals import plural
from rl_pipeline.transport.communication import Communication, Statistics

ROWS: Final = {
    "request_latency": "request latency",
    "processing": "processing",
    "response_latency": "response latency",
    "round_trip": "round trip",
    "inference": "inference",
}
"""Attributes of `Communication` and what they are called."""


def communication_table(figures: Communication | None, title: str) -> Table:
    """Current, mean, sd, minimum and maximum in ms, a row each."""
    table = Table(title=title, title_justify="left", caption=_caption(figures), caption_justify="left")
    for name in ("ms", "current", "mean", "sd", "min", "max"):
        table.add_column(name, justify="left" if name == "ms" else "right", min_width=8)
    for attribute, label in ROWS.items():
        statistics: Statistics | None = getattr(figures, attribute, None)
        values = vars(statistics).values() if statistics is not None else [None] * 5
        table.add_row(label, *("-" if value is None else f"{1e3 * value:.3f}" for value in values))
    return table


def _caption(figures: Communication | None) -> str:
    if figures is None:
        return "no step yet"
    offset = figures.clock_offset
    steps, players = plural(figures.calls, "step"), plural(figures.players, "player")
    caption = f"last {figures.calls} {steps} of {figures.players} {players}"
    if offset is None:
        caption += "\nthe players' clocks do not run like this one's: no latencies"
    elif offset.seconds:
        caption += (
            f"\nthe clock of player {offset.player} differs by {1e3 * offset.seconds:+.3f} ms"
            f" (known to {1e3 * offset.uncertainty:.3f} ms), which is taken out"
        )
    return caption
