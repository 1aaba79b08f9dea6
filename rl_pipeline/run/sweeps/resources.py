"""Where the trials of a sweep run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resources:
    """Where trials run.

    Attributes:
        jobs: trials at a time; None: as many as a cluster has room for, on one machine one for every two cores.
        cpus: processor cores of a trial.
        gpus: GPUs of a trial; a fraction shares one.
        address: of a Ray cluster; None: this machine.
    """

    jobs: int | None = None
    cpus: int = 1
    gpus: float = 0.0
    address: str | None = None
