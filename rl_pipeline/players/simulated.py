"""What a player simulates, be it one scene or several worlds of it: all that the player needs to know."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

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
