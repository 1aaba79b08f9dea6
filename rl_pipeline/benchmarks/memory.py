"""Memory of the trainer per player, and its growth with steps: the memory benchmark."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from rl_pipeline.benchmarks.canned import canned_simulation, run_for, step_batched
from rl_pipeline.benchmarks.figures import Figures
from rl_pipeline.plurals import plural

MEBIBYTE: Final = 2**20
WARM_UP_ROUNDS: Final = 200
"""Steps after which buffers have their size."""
MAX_PER_PLAYER: Final = 1.0
"""MiB that each further player may take."""
MAX_GROWTH: Final = 10.0
"""MiB by which the trainer may grow in ten million environment steps."""

NOTE: Final = (
    "Resident memory of the trainer's process. Ten million steps, those of a day, take --seconds 200 --repetitions 3 "
    "on two cores."
)


def measure_memory(
    players: int = 64, *, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Figures:
    """Measure the growth of the trainer with players of 30-ray states, and with steps on them.

    Args:
        players: players of the batch.
        seconds: of stepping between two readings of the memory.
        repetitions: number of readings.
        progress: called with the name of each case.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        config, _ = canned_simulation(directory)
        # A single player first: imports and buffers of any number of players are in memory afterwards.
        _warm_up(step_batched(stack, config, directory / "first", 1))
        alone = resident()
        # All players.
        progress(f"{players} {plural(players, 'player')}")
        step = _warm_up(step_batched(stack, config, directory / "all", players))
        together = resident()
        # Steps on them.
        steps = 0
        growth = [0.0]
        for reading in range(repetitions):
            progress(f"{steps:,} steps ({reading + 1} of {repetitions})")
            rounds, _ = run_for(step, seconds)
            steps += rounds * players
            growth.append(resident() - together)
    per_player = (together - alone) / players
    return Figures(
        "Resident memory of the trainer, MiB",
        ("growth by", "MiB", "at most"),
        [
            (f"one more of {players} players", f"{per_player:.2f}", f"{MAX_PER_PLAYER:g}"),
            (f"{steps:,} environment steps", f"{growth[-1]:.2f}", f"{MAX_GROWTH:g}"),
        ],
        NOTE,
        {"players": players, "per_player": per_player, "steps": steps, "growth": growth},
    )


def resident() -> float:
    """Return the resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


def _warm_up(step: Callable[[], object]) -> Callable[[], object]:
    """Call a step until buffers have their size, and return it."""
    for _ in range(WARM_UP_ROUNDS):
        step()
    return step
