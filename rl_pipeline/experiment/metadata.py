"""Metadata of a run: the facts that its configuration does not hold."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import platform
import socket
import subprocess
from pathlib import Path
from typing import Any

from rl_pipeline.experiment.atomic_files import write_text

PACKAGES = (
    "rl-pipeline", "stable-baselines3", "sb3-contrib", "torch", "gymnasium", "numpy", "mujoco", "rosbags", "wandb",
)  # fmt: skip
GIT_TIMEOUT = 5.0


def describe_run(command: list[str], seeds: dict[str, int]) -> dict[str, Any]:
    """Return the facts known before training: time, command, versions, git commit, host and seeds, as JSON values."""
    return {
        "status": "running",
        "started": timestamp(),
        "command": command,
        "working_directory": str(Path.cwd()),
        "host": {
            "name": socket.gethostname(),
            "platform": platform.platform(),
            "python": platform.python_version(),
            "cpu": platform.processor() or platform.machine(),
        },
        "versions": {name: _version(name) for name in PACKAGES},
        "git": git_state(Path.cwd()),
        "seeds": seeds,
    }


def write_metadata(path: Path, facts: dict[str, Any]) -> None:
    """Write the facts atomically, as indented JSON."""
    write_text(path, json.dumps(facts, indent=2, default=str) + "\n")


def overwrite_metadata(path: Path, facts: dict[str, Any]) -> None:
    """Write the facts over those in the file, for a disk too full for a second file: a few bytes fit its last block.

    Raises `OSError` when they do not.
    """
    with path.open("r+b") as file:
        file.write((json.dumps(facts, indent=2, default=str) + "\n").encode())
        file.truncate()


def timestamp() -> str:
    """Return the current time in ISO 8601 with the offset from UTC."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def git_state(directory: Path) -> dict[str, Any] | None:
    """Return commit and uncommitted changes of the repository around `directory`; None outside of one."""
    commit = _git(directory, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "changed": bool(_git(directory, "status", "--porcelain", "--untracked-files=no"))}


def _git(directory: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", "-C", str(directory), *arguments], capture_output=True, text=True, timeout=GIT_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
