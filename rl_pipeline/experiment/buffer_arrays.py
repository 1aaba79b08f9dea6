"""The arrays of Stable-Baselines3's replay buffers by name, for files and states alike."""

from __future__ import annotations

from typing import Any

EPISODES = ("ep_start", "ep_length")
"""Start and length of the episode of each transition, for hindsight; shape (rows, environments)."""
NAMES = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts", *EPISODES)


def buffer_arrays(buffer: Any) -> dict[str, Any]:
    """The arrays of a buffer, leading axis time; those of dictionary observations as `observations.<key>`."""
    arrays: dict[str, Any] = {}
    for name in NAMES:
        value = getattr(buffer, name, None)
        if isinstance(value, dict):
            arrays |= {f"{name}.{key}": array for key, array in value.items()}
        elif value is not None:
            arrays[name] = value
    return arrays


def set_buffer_array(buffer: Any, name: str, array: Any) -> None:
    """Put an array in the place of the one that `buffer_arrays` calls `name`."""
    name, _, key = name.partition(".")
    setattr(buffer, name, {**getattr(buffer, name), key: array} if key else array)
