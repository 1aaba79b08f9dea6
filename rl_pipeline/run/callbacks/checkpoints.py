"""Checkpoints in time: at even points of a run, every so many steps or episodes, and at the end."""

from __future__ import annotations

from rl_pipeline.config.schema import TrainingConfig
from rl_pipeline.experiment.checkpoints.checkpointer import Checkpoints, Intervals, Milestones
from rl_pipeline.experiment.recording.episodes import EpisodeHistory
from rl_pipeline.run.callbacks.callback import RunCallback
from rl_pipeline.run.episodes import restart_episodes


class CheckpointSchedule:
    """Due points of checkpoints, by `training.log_points` and `training.save_freq`.

    Args:
        training: the section of the configuration.
        history: the training's episodes, for intervals counted in episodes.
    """

    def __init__(self, training: TrainingConfig, history: EpisodeHistory) -> None:
        self._milestones = Milestones(training.total_timesteps, training.log_points)
        self._intervals = Intervals(training.save_freq)
        self._counts_steps = training.save_freq_unit == "steps"
        self._history = history

    def is_due(self, timesteps: int) -> bool:
        """Return True if a point has been passed since the last call."""
        count = timesteps if self._counts_steps else len(self._history.returns)
        # Ask both: each remembers the points it has passed.
        return any([self._milestones.reached(timesteps), self._intervals.reached(count)])


class PeriodicCheckpoint(RunCallback):
    """Saves checkpoints when they are due, and restarts the episodes at each one.

    Args:
        checkpoints: writes the files.
        schedule: the one that `checkpoints` asks.
        seed: the run's seed.
    """

    def __init__(self, checkpoints: Checkpoints, schedule: CheckpointSchedule, seed: int) -> None:
        super().__init__()
        self._checkpoints = checkpoints
        self._schedule = schedule
        self._seed = seed

    def restored(self, timesteps: int) -> None:
        """Count the points up to here as passed."""
        self._schedule.is_due(timesteps)

    def before_rollout(self, timesteps: int) -> None:
        """Save a checkpoint if one is due."""
        if self._checkpoints.update(timesteps):
            restart_episodes(self.model, self._seed)

    def at_end(self, timesteps: int) -> None:
        """Save the last checkpoint if it is due."""
        self._checkpoints.update(timesteps)

    def save_state(self) -> None:
        """Save the state of the run as it is now, due or not."""
        self._checkpoints.save_state(self.model.num_timesteps)
