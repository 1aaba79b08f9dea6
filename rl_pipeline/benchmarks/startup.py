"""Time from the command line to the first step of a training: the startup benchmark."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rl_pipeline.benchmarks.figures import IMPORTS, Bar, Figures, interleave
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.plurals import plural

REACH: Final = 0.5
"""Target of the share that bare imports of libraries take: they take 4 s on two idle cores."""
DEADLINE: Final = 120.0
"""Seconds that a start-up may take on a busy machine."""
POLL_INTERVAL: Final = 0.005
"""Seconds between two looks for the first step."""
STOP_DEADLINE: Final = 30.0
"""Seconds that a killed training has to end."""
NOTE: Final = (
    "From the start of the process to its first step, players included; imports: "
    'python -c "import torch, stable_baselines3, mujoco", with nothing else.'
)


def measure_startup(players: int = 8, *, repetitions: int = 3, progress: Callable[[str], object] = str) -> Figures:
    """Time `rl-pipeline train` on embedded players until its first step, and the imports of its libraries.

    Args:
        players: players of the training.
        repetitions: measurements of each, interleaved.
        progress: called with the name of each case.

    Raises:
        InputError: a training ended before its first step, or did not reach it in two minutes.
    """
    # Start-up and bare imports take turns.
    training, imports = f"{players} {plural(players, 'player')}", "imports"
    seconds: dict[str, list[float]] = {training: [], imports: []}
    cases: list[tuple[str, tuple[str, Callable[[], float]]]] = [
        (training, (training, lambda: _until_first_step(players))),
        (imports, (imports, _bare_imports)),
    ]
    for name, measure in interleave(cases, repetitions, progress):
        seconds[name].append(measure())
    shares = [bare / whole for whole, bare in zip(seconds[training], seconds[imports], strict=True)]
    return Figures(
        "Start-up, seconds",
        ("until", "seconds", "spread"),
        [
            (name, f"{statistics.median(values):.2f}", f"{min(values):.2f} to {max(values):.2f}")
            for name, values in seconds.items()
        ],
        NOTE,
        {"seconds": seconds, "shares": shares},
        [Bar(f"start-up with {players} players", shares, REACH, IMPORTS)],
    )


def _until_first_step(players: int) -> float:
    """Return the seconds from the start of a training to its first step; the training is killed then."""
    with tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_") as directory:
        overrides = [f"simulation.n_environments={players}", "ros.tcp_port=0", f"experiment.directory={directory}"]
        log = Path(directory) / "output"
        # The log goes to a file: a full pipe would stop the training.
        began = time.perf_counter()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "rl_pipeline.cli", "train", *overrides], stdout=output, stderr=output
            )
            try:
                while not _has_stepped(Path(directory)):
                    if process.poll() is not None or time.perf_counter() - began > DEADLINE:
                        end = log.read_text(errors="replace")[-2000:]
                        raise InputError(
                            f"benchmark startup: the training has not begun; the end of its output:\n{end}"
                        )
                    time.sleep(POLL_INTERVAL)
                return time.perf_counter() - began
            finally:
                _end(process)


def _has_stepped(directory: Path) -> bool:
    """Return whether the run has written the figures of communication, which it does at its first step."""
    return any(ExperimentFolder(path.parent).communication.exists() for path in directory.glob("*/*/*/config.yaml"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a training, which saves nothing then; its players end with it."""
    process.kill()
    process.wait(STOP_DEADLINE)


def _bare_imports() -> float:
    """Return the seconds that a process takes to import the largest libraries."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch, stable_baselines3, mujoco"], check=True, timeout=DEADLINE)
    return time.perf_counter() - began
