"""The contract of a scene: what a player simulates. A new scene is one class; docs/players.md shows how."""

from __future__ import annotations

import math
from abc import abstractmethod

import mujoco

from rl_pipeline.interfaces import Batch
from rl_pipeline.players.simulated import Simulated


class Scene(Simulated):
    """A MuJoCo model with a meaning: how it is reset, acted on, observed and shown.

    A subclass sets `name`, `reset_service`, `step_service`, `lengths` and `camera`, and

    Class attributes:
        default_control_period: s; for a sample time of 0.
        max_timestep: longest substep, s.
    """

    default_control_period: float
    max_timestep: float

    def __init__(self, model: mujoco.MjModel, sample_time: float = 0.0) -> None:
        """Simulate `model` with a control period of `sample_time` seconds; 0: the scene's own."""
        period = sample_time or self.default_control_period
        # The tolerance keeps 0.1 / 0.02 = 5.000000000000001 from becoming 6 substeps.
        self.substeps = max(1, math.ceil(period / self.max_timestep - 1e-9))
        self.timestep = period / self.substeps
        self.model = model
        self.model.opt.timestep = self.timestep
        self.data = mujoco.MjData(model)

    @abstractmethod
    def reset(self, seed: int) -> None:
        """Begin a new episode, which the seed determines."""

    def begin(self, request: Batch) -> None:
        """Begin the episode that a reset request, a batch of one, asks for."""
        self.reset(int(request["seed"][0]))
