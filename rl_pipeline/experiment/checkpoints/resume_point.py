"""Starting point of a resumed run: a folder with its newest intact state, or a model in a new folder."""

from __future__ import annotations

import json
import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rl_pipeline.experiment.checkpoints.checkpointer import newest_states
from rl_pipeline.experiment.checkpoints.learner_state import COUNTERS
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.checkpoints.run_state import State
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResumePoint:
    """Experiment and the state to resume it from.

    Attributes:
        folder: the experiment folder, which the run continues; None: a new one is made.
        states: the state of each part of the run; empty when it was killed before its first checkpoint.
    """

    folder: ExperimentFolder | None
    states: dict[str, State]

    @classmethod
    def of(cls, folder: ExperimentFolder) -> ResumePoint:
        """Return the newest resume point of a folder. Raises `InputError` for files of a newer version."""
        if (states := newest_states(folder)) is None:
            logger.warning("%s has no checkpoint yet: starting from the beginning", folder.path)
        return cls(folder, states or {})

    @classmethod
    def of_model(cls, path: Path) -> ResumePoint:
        """Return a resume point of a model alone: weights, optimisers, normaliser and counters, in a new folder.

        Raises `InputError` when the file is no model.
        """
        ModelFile.open(path)
        content = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(archive.read("data")) if "data" in archive.namelist() else {}
        counters = {name: facts[name] for name in COUNTERS if isinstance(facts.get(name), int | float)}
        counters.setdefault("num_timesteps", 0)
        model = np.frombuffer(content, dtype=np.uint8)
        return cls(None, {"learner": {"model": model, "counters": counters, "episodes": [], "successes": []}})

    @property
    def timesteps(self) -> int:
        """Environment steps taken so far."""
        return int(self.states["learner"]["counters"]["num_timesteps"]) if self.states else 0

    @property
    def model(self) -> ModelFile | None:
        """The model at that point."""
        if not self.states:
            return None
        name = "the checkpoint" if self.folder is None else str(self.folder.path)
        return ModelFile.read(
            self.states["learner"]["model"].tobytes(), f"{name} at {self.timesteps} {plural(self.timesteps, 'step')}"
        )

    def metadata(self) -> dict[str, Any]:
        """Read the metadata of the run; empty when there is no file or it cannot be read."""
        if self.folder is None:
            return {}
        try:
            facts: dict[str, Any] = json.loads(self.folder.metadata.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return facts
