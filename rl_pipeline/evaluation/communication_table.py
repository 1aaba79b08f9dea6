"""Table of the communication with players, printed once or refreshed during a rollout."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.unwrapping import player_env
from rl_pipeline.errors import InputError
from rl_pipeline.plurals import plural
from rl_pipeline.transport.timing import Communication, Statistics

ROWS: Final = {
    "request_latency": "request latency",
    "processing": "processing",
    "response_latency": "response latency",
    "round_trip": "round trip",
    "inference": "inference",
}
"""Attributes of `Communication` and their labels in the table."""
TITLE: Final = "communication with the players"
REFRESH_PERIOD: Final = 0.25
"""Seconds between two updates of the live table."""


@contextmanager
def show_communication(venv: VecEnv, console: Console, monitor: bool) -> Iterator[Callable[[], None]]:
    """Show a live table of the communication with the players; yields the function to call at each step.

    The last figures stay on the screen. Without a terminal, only they are printed.

    Args:
        venv: the environments.
        console: where the table is shown.
        monitor: false: show nothing; the function yielded is a no-op.

    Raises:
        InputError: the environments run without players.
    """
    if not monitor:
        yield lambda: None
        return
    if (env := player_env(venv)) is None:
        raise InputError("--monitor: this environment runs without players, so there is no communication to watch")
    due = 0.0
    with Live(console=console, auto_refresh=False) as live:

        def show() -> None:
            nonlocal due
            if console.is_terminal and time.monotonic() >= due:
                due = time.monotonic() + REFRESH_PERIOD
                live.update(communication_table(env.communication, TITLE), refresh=True)

        try:
            yield show
        finally:
            # Also after an error or Ctrl-C: the figures up to there remain.
            live.update(communication_table(env.communication, TITLE))


def communication_table(figures: Communication | None, title: str) -> Table:
    """Return the table of figures: current, mean, standard deviation, minimum and maximum in ms, one row each."""
    table = Table(title=title, title_justify="left", caption=_caption(figures), caption_justify="left")
    for name in ("ms", "current", "mean", "sd", "min", "max"):
        table.add_column(name, justify="left" if name == "ms" else "right", min_width=8)
    for attribute, label in ROWS.items():
        statistics: Statistics | None = getattr(figures, attribute, None)
        values = vars(statistics).values() if statistics is not None else [None] * 5
        table.add_row(label, *("-" if value is None else f"{1e3 * value:.3f}" for value in values))
    return table


def _caption(figures: Communication | None) -> str:
    """Return the line below the table: steps and players measured, and the offset between their clocks."""
    if figures is None:
        return "no step yet"
    offset = figures.clock_offset
    steps, players = plural(figures.calls, "step"), plural(figures.players, "player")
    caption = f"last {figures.calls} {steps} of {figures.players} {players}"
    # Latencies compare time stamps of two clocks, and so depend on their offset.
    if offset is None:
        caption += "\nthe players' clocks do not run like this one's: no latencies"
    elif offset.seconds:
        caption += (
            f"\nthe clock of player {offset.player} differs by {1e3 * offset.seconds:+.3f} ms"
            f" (known to {1e3 * offset.uncertainty:.3f} ms), which is taken out"
        )
    return caption
