"""Checkpoints spread over a run: the model each time, and the state that the run can be resumed from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.model_file import check_weights, save_model
from rl_pipeline.experiment.checkpoints.replay_buffer import save_replay_buffer
from rl_pipeline.experiment.checkpoints.run_state import NewerFormatError, State, Stateful, read_states, write_states
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)

STATES_KEPT = 2
"""The newest state, and the one before in case that it gets damaged; replay buffers are large."""


class Milestones:
    """`count` points spread evenly over `total` steps, the last one at the end."""

    def __init__(self, total: int, count: int) -> None:
        self._points = [total * number // count for number in range(1, count + 1)]
        self._passed = 0

    def reached(self, timesteps: int) -> bool:
        """Return True if a point has been passed since the last call; two passed at once count as one."""
        passed = sum(point <= timesteps for point in self._points)
        reached, self._passed = passed > self._passed, passed
        return reached


class Intervals:
    """A point every `length` steps or episodes; none with `length` None."""

    def __init__(self, length: int | None) -> None:
        self._length = length
        self._passed = 0

    def reached(self, count: int) -> bool:
        """Return True if a point has been passed since the last call; two passed at once count as one."""
        if self._length is None:
            return False
        passed = count // self._length
        reached, self._passed = passed > self._passed, passed
        return reached


class Checkpoints:
    """Writer of `checkpoints/model_<steps>_steps.zip` and of the two newest `states/state_<steps>_steps.zip`.

    Args:
        model: the learning model.
        folder: experiment folder to write to.
        config: text of the configuration, kept inside each model.
        due: returns True if a checkpoint is due at a number of environment steps.
        parts: parts of the run that a state restores, by name.
        saved: called with each model's file.
        state_saved: called with each state's file.
        models: keep models; otherwise states alone.
    """

    def __init__(
        self,
        model: BaseAlgorithm,
        folder: ExperimentFolder,
        config: str,
        due: Callable[[int], bool],
        parts: Mapping[str, Stateful],
        saved: Callable[[Path], None] = lambda path: None,
        state_saved: Callable[[Path], None] = lambda path: None,
        *,
        models: bool = True,
    ) -> None:
        self._model = model
        self._folder = folder
        self._config = config
        # Policy: moments of checkpoints, and their contents.
        self._due = due
        self._parts = parts
        self._models = models
        # Observers of the files, such as the loggers of the run.
        self._saved = saved
        self._state_saved = state_saved

    def update(self, timesteps: int) -> bool:
        """Save a checkpoint and return True if one is due. Call it between rollouts.

        Raises `InputError` on a full disk.
        """
        if not self._due(timesteps):
            return False
        if self._models:
            path = self._folder.checkpoints / f"model_{timesteps}_steps.zip"
            save_model(self._model, path, self._config)
            self._saved(path)
        self.save_state(timesteps)
        logger.debug("checkpoint at %d %s", timesteps, plural(timesteps, "step"))
        return True

    def save_state(self, timesteps: int) -> None:
        """Save the state of all parts at this step, unless the file exists already."""
        path = self._folder.states / f"state_{timesteps}_steps.zip"
        if not path.exists():
            check_weights(self._model, str(path))
            write_states(path, self._parts)
        self._state_saved(path)
        # States hold replay buffers: old ones go as soon as newer ones are whole.
        for old in saved_states(self._folder)[STATES_KEPT:]:
            old.unlink(missing_ok=True)


def saved_states(folder: ExperimentFolder) -> list[Path]:
    """List the states that the run can be resumed from, newest first."""
    return sorted(folder.states.glob("state_*_steps.zip"), key=steps_of, reverse=True)


def steps_of(path: Path) -> int:
    """Return the environment steps in the name of a checkpoint or state."""
    return int(path.stem.split("_")[1])


def newest_states(folder: ExperimentFolder) -> dict[str, State] | None:
    """Read the newest intact state; damaged ones are renamed with a warning. None: there is none.

    Raises `NewerFormatError` for one of a newer version of this package.
    """
    for path in saved_states(folder):
        # An older state would silently undo steps of the newer version, so a newer format is no reason to fall back.
        try:
            states = read_states(path)
        except NewerFormatError:
            raise
        except InputError as error:
            logger.warning("%s; falling back to the checkpoint before", error)
            path.rename(path.with_suffix(".damaged"))
            continue
        logger.info("resuming from %s", path)
        return states
    return None


def save_buffer(model: BaseAlgorithm, folder: ExperimentFolder) -> None:
    """Save the replay buffer of an off-policy algorithm; do nothing for others."""
    if isinstance(model, OffPolicyAlgorithm):
        save_replay_buffer(model, folder.replay_buffer)
