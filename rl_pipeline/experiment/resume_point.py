"""Where an experiment can go on: its folder, and the newest state that can be read."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from rl_pipeline.experiment.checkpoints import newest_states
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.model_files import ModelFile
from rl_pipeline.experiment.state_files import State

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResumePoint:
    """An experiment and the state to go on from.

    Attributes:
        folder: the experiment folder, which the run goes on writing.
        states: the state of each part of the run; empty when it was killed before its first checkpoint.
    """

    folder: ExperimentFolder
    states: dict[str, State]

    @classmethod
    def of(cls, folder: ExperimentFolder) -> ResumePoint:
        """The newest. Raises `InputError` when a newer version of this package wrote it."""
        if (states := newest_states(folder)) is None:
            logger.warning("%s has no checkpoint yet: beginning anew", folder.path)
        return cls(folder, states or {})

    @property
    def timesteps(self) -> int:
        """Environment steps taken so far."""
        return int(self.states["learner"]["counters"]["num_timesteps"]) if self.states else 0

    @property
    def model(self) -> ModelFile | None:
        """The model as of then."""
        if not self.states:
            return None
        return ModelFile.read(
            self.states["learner"]["model"].tobytes(), f"{self.folder.path} at {self.timesteps} steps"
        )

    def metadata(self) -> dict[str, Any]:
        """The facts about the run so far; empty when its file cannot be read."""
        try:
            facts: dict[str, Any] = json.loads(self.folder.metadata.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return facts
