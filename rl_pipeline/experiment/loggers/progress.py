"""Progress of a training: a bar in a terminal, lines in the log otherwise."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from rl_pipeline.experiment.recording.episodes import EpisodeHistory
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)

REFRESH_INTERVAL = 0.25
LINE_INTERVAL = 10.0


class TrainingProgress:
    """Progress display with steps per second, return, success rate and time left.

    Args:
        total: environment steps of the run.
        history: the episodes so far.
        console: draws the bar; without a terminal, or without a console, lines are logged instead.
        start: environment steps that the run had taken before, when it is resumed.
    """

    def __init__(self, total: int, history: EpisodeHistory, console: Console | None, start: int = 0) -> None:
        self._total, self._history, self._start = total, history, start
        self._began = self._shown = time.monotonic()
        self._latest = start
        self._bar: Progress | None = None
        if console is not None and console.is_terminal:
            self._bar = Progress(
                TextColumn("[bold]training[/]"), BarColumn(bar_width=None), TaskProgressColumn(), _Figures(),
                TimeRemainingColumn(compact=True), console=console, refresh_per_second=4, expand=True,
            )  # fmt: skip
            self._task = self._bar.add_task("training", total=total, figures="")

    def __enter__(self) -> TrainingProgress:
        self._began = self._shown = time.monotonic()
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._show(self._latest, time.monotonic())
            self._bar.stop()

    def update(self, timesteps: int) -> None:
        """Show the number of environment steps taken; cheap enough to call after every step."""
        self._latest = timesteps
        now = time.monotonic()
        if now - self._shown < (REFRESH_INTERVAL if self._bar is not None else LINE_INTERVAL):
            return
        self._shown = now
        self._show(timesteps, now)

    def _show(self, timesteps: int, now: float) -> None:
        figures = self.figures(timesteps, now)
        if self._bar is not None:
            self._bar.update(self._task, completed=min(timesteps, self._total), figures=figures)
            return
        left = (now - self._began) * (self._total - timesteps) / max(1, timesteps - self._start)
        logger.info(
            "%d of %d %s (%.0f%%), %s, %.0f s left",
            timesteps, self._total, plural(self._total, "step"), 100 * timesteps / self._total, figures, max(0.0, left),
        )  # fmt: skip

    def figures(self, timesteps: int, now: float) -> str:
        """Return speed over the whole run, and return and success rate of the last 100 episodes, as text."""
        parts = [f"{(timesteps - self._start) / max(1e-9, now - self._began):,.0f} steps/s"]
        if (recent := self._history.recent_return()) is not None:
            parts.append(f"return {recent:.1f}")
        if (success := self._history.recent_success()) is not None:
            parts.append(f"success {success:.0%}")
        return ", ".join(parts)


@contextmanager
def counted(what: str, total: int, unit: str, console: Console | None) -> Iterator[Callable[[int], None]]:
    """Show how many of `total` are done, in a bar that goes when the block ends; gives the function that says so.

    Nothing is shown without a terminal.
    """
    if console is None or not console.is_terminal:
        yield lambda done: None
        return
    columns = (TextColumn(f"[bold]{what}[/]"), BarColumn(), TextColumn(f"{{task.completed:.0f}} of {total} {unit}"))
    with Progress(*columns, console=console, refresh_per_second=4, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


class _Figures(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(str(task.fields["figures"]), style="cyan")
