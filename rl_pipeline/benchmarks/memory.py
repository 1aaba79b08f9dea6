"""What a player and a step cost the trainer in memory that stays."""

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
MAX_PER_PLAYER: Final = 1.0
"""MiB that one more player may take."""
MAX_GROWTH: Final = 10.0
"""MiB by which ten million environment steps may grow the trainer."""

NOTE: Final = (
    "Resident memory of the trainer's process. Ten million steps, a day's worth, take --seconds 200 --repetitions 3 on "
    "two cores."
)


def measure_memory(
    players: int = 64, *, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Figures:
    """Measure by how much players of 30-ray states, and steps on them, grow the trainer.

    Args:
        players: players of the batch.
        seconds: of stepping between two looks.
        repetitions: looks.
        progress: called with what is being measured.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        config, _ = canned_simulation(directory)
        # What is imported and allocated once, whatever the number of players, is there after the first.
        _warmed_up(step_batched(stack, config, directory / "first", 1))
        alone = resident()
        progress(f"{players} {plural(players, 'player')}")
        step = _warmed_up(step_batched(stack, config, directory / "all", players))
        together = resident()
        steps, growth = 0, [0.0]
        for look in range(repetitions):
            progress(f"{steps:,} steps ({look + 1} of {repetitions})")
            rounds, _ = run_for(step, seconds)
            steps += rounds * players
            growth.append(resident() - together)
    per_player = (together - alone) / players
    return Figures(
        "Resident memory of the trainer, MiB",
        ("what", "MiB", "at most"),
        [
            (f"one more of {players} players", f"{per_player:.2f}", f"{MAX_PER_PLAYER:g}"),
            (f"{steps:,} environment steps", f"{growth[-1]:.2f}", f"{MAX_GROWTH:g}"),
        ],
        NOTE,
        {"players": players, "per_player": per_player, "steps": steps, "growth": growth},
    )


def resident() -> float:
    """MiB of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


def _warmed_up(step: Callable[[], object]) -> Callable[[], object]:
    for _ in range(WARM_UP_ROUNDS):
        step()
    return step
