"""Contract of a scene. A new scene is one class; docs/add_a_scene_and_task.md has a complete example."""

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
    """A scene or several worlds of one, as a player sees it.

    Simulated time advances in substeps of `timestep` seconds; a control period has a whole number of them.

    Attributes:
        name: name of the scene; the services are `/<name>_<environment-id>/reset` and `.../step`.
        service_suffix: appended to `reset` and `step`.
        reset_service: type of the reset service. Its request must have `bool render`.
        step_service: type of the step service. Its request must have `bool render`. Both responses must have all fields
            of interfaces_pkg/NavigationStep; `state` may have another type.
        command_type: message type of commands by a topic; None: no commands.
        lengths: elements of every sequence of a response except its image, by dotted path.
        camera: camera of the frames.
        model: compiled MuJoCo model.
        data: state of the model.
        substeps: number of substeps in a control period.
        timestep: length of a substep, s.
        elapsed_substeps: substeps since the start of the player, resets included. Subclasses count them in `advance`.
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
        """Simulated time since the start of the player, s."""
        return self.elapsed_substeps * self.timestep

    @abstractmethod
    def begin(self, request: Batch) -> None:
        """Begin the episodes of a reset request, a batch of one."""

    @abstractmethod
    def act(self, request: Batch) -> None:
        """Hold the actions of a step request, a batch of one, until the next one."""

    def command(self, message: Batch) -> None:
        """Hold the action of a message of `command_type`, a batch of one, until the next one."""
        raise NotImplementedError(f"{self.name} has a command_type but no command")

    @abstractmethod
    def advance(self, substeps: int) -> None:
        """Simulate that many substeps."""

    @abstractmethod
    def state_writer(self, response: Batch) -> Callable[[], None]:
        """Return a function that writes the present states to `response`, a batch of one that is reused."""

    @abstractmethod
    def picture(self) -> Picture:
        """Return everything in a frame that is not a body of the model; bring `data` up to date."""


class Scene(Simulated):
    """A MuJoCo model with the meaning of reset, action and state.

    A subclass sets `name`, `reset_service`, `step_service`, `lengths`, `camera` and two more class attributes.

    Class attributes:
        default_control_period: control period for a sample time of 0, s.
        max_timestep: upper bound of a substep, s.
    """

    default_control_period: float
    max_timestep: float

    def __init__(self, model: mujoco.MjModel, sample_time: float = 0.0) -> None:
        """Prepare a model for a control period.

        Args:
            model: compiled MuJoCo model; its timestep is set here.
            sample_time: control period, s; 0: `default_control_period`.
        """
        # The fewest equal substeps that are no longer than max_timestep.
        period = sample_time or self.default_control_period
        # The tolerance keeps a quotient such as 5.000000000000001 from becoming 6 substeps.
        self.substeps = max(1, math.ceil(period / self.max_timestep - 1e-9))
        self.timestep = period / self.substeps
        self.model = model
        self.model.opt.timestep = self.timestep
        self.data = mujoco.MjData(model)

    @abstractmethod
    def reset(self, seed: int) -> None:
        """Begin a new episode; the seed alone determines it."""

    def begin(self, request: Batch) -> None:
        """Begin the episode of a reset request, a batch of one."""
        self.reset(int(request["seed"][0]))


def within(default: float, least: float, most: float) -> Any:
    """Declare a parameter: its default, which also replaces NaN, and the bounds that values are clipped to."""
    return field(default=default, metadata={"range": (least, most)})


@dataclass(frozen=True)
class SceneParameters:
    """Parameters of an episode, from the message `parameters` of a reset request.

    A subclass has a field for each number of the message, declared by `within`.
    """

    def __post_init__(self) -> None:
        for one in fields(self):
            least, most = one.metadata["range"]
            value = getattr(self, one.name)
            object.__setattr__(self, one.name, one.default if math.isnan(value) else min(max(value, least), most))

    @classmethod
    def of(cls, request: Batch, *world: int) -> Self:
        """Read the parameters of a reset request, a batch of one; of a batched request, those of one world."""
        return cls(**{one.name: float(request[f"parameters.{one.name}"][0, *world]) for one in fields(cls)})
