"""`--monitor`: the communication with players, live while an agent acts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.envs.unwrapping import player_env
from rl_pipeline.errors import InputError
from rl_pipeline.run.communication_table import communication_table

REFRESH_PERIOD: Final = 0.25
TITLE: Final = "communication with the players"


@contextmanager
def watched(venv: VecEnv, console: Console, monitor: bool) -> Iterator[Callable[[], None]]:
    """Show a live table of the communication with the players; gives the function to be called at each step.

    The last figures stay on the screen; without a terminal they are all that is printed.

    Args:
        venv: the environments.
        console: where the table is shown.
        monitor: whether it is wanted at all.

    Raises:
        InputError: the environments are not on players.
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
            live.update(communication_table(env.communication, TITLE))
