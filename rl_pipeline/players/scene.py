"""The contract of a scene: what a player simulates. A new scene is one class; docs/players.md shows how."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import mujoco

from rl_pipeline.interfaces import Batch
from rl_pipeline.players.rendering.picture import Camera, Picture


class Simulated(ABC):
    """Something that begins episodes, is acted on, goes on in time, and is observed and shown.

    Simulated time goes on in substeps of `timestep` seconds, of which a control period has a whole number.

    Attributes:
        name: the services are `/<name>_<environment-id>/reset` and `.../step`.
        service_suffix: what follows `reset` and `step` there.
        reset_service: type of the reset service. Its request must have `bool render`.
        step_service: type of the step service. Its request must have `bool render`. Both responses must have what
            interfaces_pkg/NavigationStep has beside its `state`.
        command_type: message type of commands by a topic; None: it takes none.
        lengths: elements of every sequence of a response except its image, by dotted path.
        camera: where frames are seen from.
        model: the compiled model that frames and window show.
        data: its state.
        substeps: number of substeps of a control period.
        timestep: length of a substep, s.
        elapsed_substeps: since this was made; a reset does not set them back. Subclasses count them in `advance`.
    """

    name: str
    service_suffix: str = ""
    reset_service: str
    step_service: str
    command_type: str | None = None
    lengths: Mapping[str, int]
    camera: Camera
    model: mujoco.MjModel
    data: mujoco.MjData
    substeps: int
    timestep: float
    elapsed_substeps: int = 0

    @property
    def simulated_time(self) -> float:
        """Seconds simulated so far."""
        return self.elapsed_substeps * self.timestep

    @abstractmethod
    def begin(self, request: Batch) -> None:
        """Begin the episodes that a reset request, a batch of one, asks for."""

    @abstractmethod
    def act(self, request: Batch) -> None:
        """Take the actions of a step request, a batch of one, and hold them from now on."""

    def command(self, message: Batch) -> None:
        """Take the action of a message of `command_type`, a batch of one, and hold it from now on."""
        raise NotImplementedError(f"{self.name} has a command_type but no command")

    @abstractmethod
    def advance(self, substeps: int) -> None:
        """Simulate that many substeps with the actions held."""

    @abstractmethod
    def state_writer(self, response: Batch) -> Callable[[], None]:
        """A function that writes the present states into `response`, a batch of one that is filled again and again."""

    @abstractmethod
    def picture(self) -> Picture:
        """What a frame of the present state shows beside the model; brings `data` up to date with it."""


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


def within(default: float, least: float, most: float) -> Any:
    """A parameter's default, which NaN stands for, and the range that its values are clipped to."""
    return field(default=default, metadata={"range": (least, most)})


@dataclass(frozen=True)
class SceneParameters:
    """A subclass has a field for each number of the message, made by `within`."""

    def __post_init__(self) -> None:
        for one in fields(self):
            least, most = one.metadata["range"]
            value = getattr(self, one.name)
            object.__setattr__(self, one.name, one.default if math.isnan(value) else min(max(value, least), most))

    @classmethod
    def of(cls, request: Batch, *world: int) -> Self:
        """Those of a reset request, a batch of one; of a batched one, those of a world."""
        return cls(**{one.name: float(request[f"parameters.{one.name}"][0, *world]) for one in fields(cls)})
