"""Guard against NaN and infinity: a cheap test at each step, a report and a file of the states when it fails."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.simulation.simulation import PlayerError

logger = logging.getLogger(__name__)

MAX_IN_A_ROW: Final = 10
"""Invalid states of one environment, without a valid step in between, after which it will not recover."""
MAX_FILES: Final = 20
_MAX_FIELDS: Final = 5


class ActionError(ValueError):
    """Actions with NaN or infinity: the policy has diverged."""


def is_finite(array: NDArray[Any]) -> bool:
    """Return True if an array surely has no NaN or infinity; False may be wrong if the sum of squares overflows.

    The product of the array with itself reads it once, makes no array of booleans and, unlike `dot`, never warns of
    overflow: a third of the time of `isfinite` for 16 observations.
    """
    return array.dtype.kind != "f" or math.isfinite(np.vdot(array, array))


def all_finite(arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Return True if no array of a Dict observation can have NaN or infinity."""
    return all(map(is_finite, arrays.values()))


def invalid_rows(*arrays: NDArray[Any]) -> NDArray[np.intp] | None:
    """Return the rows (of the leading axis) in which any of the arrays has NaN or infinity; None: there are none."""
    valid = np.logical_and.reduce([np.isfinite(array).reshape(len(array), -1).all(axis=1) for array in arrays])
    return None if valid.all() else np.flatnonzero(~valid)


def check_actions(actions: NDArray[Any]) -> None:
    """Raise ActionError when an action, of shape (N, ...), has NaN or infinity."""
    if not is_finite(actions) and (rows := invalid_rows(actions)) is not None:
        raise ActionError(
            f"the policy's actions for environments {rows.tolist()} are no finite numbers, such as "
            f"{actions[rows[0]].tolist()}; it has diverged: lower the learning rate, clip gradients or scale rewards"
        )


class InvalidStates:
    """Reports of invalid states: log messages, and files with the states and actions that led to them.

    Args:
        num_envs: N.
        directory: folder of the files; None: none are written.

    Attributes:
        any: True while an environment has not recovered.
    """

    def __init__(self, num_envs: int, directory: Path | None) -> None:
        self._directory = directory
        self._in_a_row: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self._files = 0
        self.any = False

    def count_step(self, invalid: NDArray[np.intp] | None) -> None:
        """Count a step: environments that are not `invalid` have recovered."""
        if self.any or invalid is not None:
            counts = self._in_a_row[invalid]
            self._in_a_row[:] = 0
            if invalid is not None:
                self._in_a_row[invalid] = counts
            self.any = bool(self._in_a_row.any())

    def report(
        self, index: int, player: int, seed: int, steps: int, states: NDArray[Any], actions: NDArray[Any]
    ) -> None:
        """Log one invalid state and write it down.

        Args:
            index: the environment.
            player: its player.
            seed: of the episode.
            steps: taken in the episode so far.
            states: structured array of the last states, the invalid one last, shape (K + 1,).
            actions: those between them, shape (K, *action shape).

        Raises:
            PlayerError: its states are invalid again and again.
        """
        self._in_a_row[index] += 1
        self.any = True
        # The message names the fields of the state, if the fault is in the state.
        fields = _invalid_fields(states[-1:])
        where = (
            f"NaN or infinity in {', '.join(fields)}"
            if fields
            else ("observation or reward of NaN or infinity, which the task makes of a finite state")
        )
        message = f"environment {index} (player {player}), step {steps} of the episode with seed {seed}: {where}"
        if (path := self._write(f"player_{player}_seed_{seed}_step_{steps}", states, actions)) is not None:
            message += f"; the last states are in {path}"
        # A player that never recovers would cost one episode after the other.
        if self._in_a_row[index] >= MAX_IN_A_ROW:
            raise PlayerError(f"{message}; that was {MAX_IN_A_ROW} times in a row without a valid step in between")
        logger.warning("%s; the episode ends", message)

    def _write(self, name: str, states: NDArray[Any], actions: NDArray[Any]) -> Path | None:
        """Write states and actions to a `.npz` file; returns its path, or None if there is none."""
        if self._directory is None or self._files >= MAX_FILES:
            return None
        self._files += 1
        path = self._directory / f"{name}.npz"
        temporary = self._directory / f".{name}.partial.npz"
        arrays = {f"state.{field}": values for field, values in _fields(states)}
        # A failure to write must not end the training.
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(temporary, actions=actions, **arrays)  # type: ignore[arg-type]
            temporary.replace(path)
        except OSError as error:
            logger.warning("cannot write %s: %s", path, error.strerror or error)
            temporary.unlink(missing_ok=True)
            return None
        return path


def _fields(array: NDArray[Any], prefix: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield every plain field of a structured array with its dotted path."""
    for name in array.dtype.names or ():
        value = array[name]
        if value.dtype.names is None:
            yield prefix + name, value
        else:
            yield from _fields(value, f"{prefix}{name}.")


def _invalid_fields(state: NDArray[Any]) -> list[str]:
    """Return the paths of the first few fields with NaN or infinity."""
    floats = ((path, values) for path, values in _fields(state, "state.") if values.dtype.kind == "f")
    paths = [path for path, values in floats if not np.isfinite(values).all()]
    return [*paths[:_MAX_FIELDS], f"{len(paths) - _MAX_FIELDS} more"] if len(paths) > _MAX_FIELDS else paths
