"""The contract of a scene: what a player simulates. A new scene is one class; docs/players.md shows how."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import mujoco

from rl_pipeline.interfaces import Batch
from rl_pipeline.players.rendering.picture import Camera, Picture


class Scene(ABC):
    """A MuJoCo model with a meaning: how it is reset, acted on, observed and shown.

    Simulated time goes on in substeps of `timestep` seconds, of which a control period has a whole number.

    Class attributes:
        name: the services are `/<name>_<environment-id>/reset` and `.../step`.
        service_suffix: what follows `reset` and `step` there; nothing, as it is one world.
        reset_service: type of the reset service. Its request must have `bool render`.
        step_service: type of the step service. Its request must have `bool render`. Both responses must have what
            interfaces_pkg/NavigationStep has beside its `state`.
        lengths: elements of every sequence of a response except its image, by dotted path.
        default_control_period: s; for a sample time of 0.
        max_timestep: longest substep, s.
        camera: where frames are seen from.

    Attributes:
        model: the compiled model.
        data: its state.
        substeps: number of substeps of a control period.
        timestep: length of a substep, s.
        elapsed_substeps: since the scene was made; a reset does not set them back. Subclasses count them in `advance`.
    """

    name: ClassVar[str]
    service_suffix: ClassVar[str] = ""
    reset_service: ClassVar[str]
    step_service: ClassVar[str]
    lengths: ClassVar[Mapping[str, int]]
    default_control_period: ClassVar[float]
    max_timestep: ClassVar[float]
    camera: ClassVar[Camera]

    def __init__(self, model: mujoco.MjModel, sample_time: float = 0.0) -> None:
        """Simulate `model` with a control period of `sample_time` seconds; 0: the scene's own."""
        period = sample_time or self.default_control_period
        # The tolerance keeps 0.1 / 0.02 = 5.000000000000001 from becoming 6 substeps.
        self.substeps = max(1, math.ceil(period / self.max_timestep - 1e-9))
        self.timestep = period / self.substeps
        self.elapsed_substeps = 0
        self.model = model
        self.model.opt.timestep = self.timestep
        self.data = mujoco.MjData(model)

    @property
    def simulated_time(self) -> float:
        """Seconds simulated since the scene was made."""
        return self.elapsed_substeps * self.timestep

    @abstractmethod
    def reset(self, seed: int) -> None:
        """Begin a new episode, which the seed determines."""

    def begin(self, request: Batch) -> None:
        """Begin the episode that a reset request, a batch of one, asks for."""
        self.reset(int(request["seed"][0]))

    @abstractmethod
    def act(self, request: Batch) -> None:
        """Take the action of a step request, a batch of one, and hold it from now on."""

    @abstractmethod
    def advance(self, substeps: int) -> None:
        """Simulate that many substeps with the action held."""

    @abstractmethod
    def state_writer(self, response: Batch) -> Callable[[], None]:
        """A function that writes the present state into `response`, a batch of one that is filled again and again."""

    @abstractmethod
    def picture(self) -> Picture:
        """What a frame of the present state shows beside the model."""
