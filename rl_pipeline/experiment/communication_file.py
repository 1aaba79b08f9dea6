"""The newest figures of the communication with players, in a file that other programs watch while a run goes on."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import write_text
from rl_pipeline.transport.timing import ClockOffset, Communication, Statistics


def write_communication(path: Path, figures: Communication, timesteps: int) -> None:
    """Put figures, in seconds, and the steps so far in the place of those before.

    A file that cannot be written is left out: watching must not stop a run.
    """
    facts = {"timesteps": timesteps, **dataclasses.asdict(figures)}
    with suppress(InputError):
        write_text(path, json.dumps(facts, indent=2) + "\n")


def read_communication(path: Path) -> tuple[Communication, int] | None:
    """The figures and the steps so far; None where a run has written none yet, or its disk lost them."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    timesteps, offset = int(facts.pop("timesteps")), facts.pop("clock_offset")
    values: dict[str, Any] = {
        name: Statistics(**value) if isinstance(value, dict) else value for name, value in facts.items()
    }
    return Communication(**values, clock_offset=ClockOffset(**offset) if offset else None), timesteps
