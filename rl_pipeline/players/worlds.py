"""Several worlds of one scene in one player, offered by batched services."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch, Elements, Layout, load_interfaces
from rl_pipeline.interfaces.multi_world import RESET, SHARED_FIELDS, batched_service, response_lengths
from rl_pipeline.players.rendering.picture import Picture
from rl_pipeline.players.scene import Scene, Simulated


class Worlds(Simulated):
    """M worlds of a scene. Frames and window show the first world.

    Args:
        first: scene of the first world.
        count: M.

    Raises:
        InputError: the scene has no batched services.
    """

    service_suffix = "_batch"

    def __init__(self, first: Scene, count: int) -> None:
        self.name, self.camera = first.name, first.camera
        self.substeps, self.timestep = first.substeps, first.timestep
        self.model, self.data = first.model, first.data
        self.reset_service = batched_service(first.reset_service).name
        self.step_service = batched_service(first.step_service).name
        self.lengths = response_lengths(first.lengths, count)


class SceneWorlds(Worlds):
    """M scenes, simulated in turn. This works for any scene, and saves round trips between trainer and player.

    Args:
        scenes: the worlds, of one class and with the same sample time.

    Raises:
        InputError: the scene has no batched services.
    """

    def __init__(self, scenes: Sequence[Scene]) -> None:
        super().__init__(scenes[0], len(scenes))
        self._scenes = list(scenes)
        # Requests and responses of all worlds as a batch, and views of the same memory for each world.
        plain, reset = (load_interfaces().service(one) for one in (scenes[0].step_service, scenes[0].reset_service))
        self._requests, self._request_of = _rows(plain.request.layout(), len(scenes))
        self._resets, self._reset_of = _rows(reset.request.layout(), len(scenes))
        self._responses, response_of = _rows(plain.response.layout(scenes[0].lengths), len(scenes))
        self._write_state_of = [
            scene.state_writer(response) for scene, response in zip(scenes, response_of, strict=True)
        ]
        self._unwritten: NDArray[np.bool_] = np.ones(len(scenes), np.bool_)

    def begin(self, request: Batch) -> None:
        """Begin a new episode in each world that a batched reset request marks."""
        _distribute(request, self._resets)
        for world in np.flatnonzero(request[RESET][0]).tolist():
            self._scenes[world].begin(self._reset_of[world])
            self._unwritten[world] = True

    def act(self, request: Batch) -> None:
        """Hold the actions of a batched step request, one for each world, until the next one."""
        _distribute(request, self._requests)
        for scene, own in zip(self._scenes, self._request_of, strict=True):
            scene.act(own)

    def advance(self, substeps: int) -> None:
        """Simulate that many substeps in one world after the other."""
        for scene in self._scenes:
            scene.advance(substeps)
        self.elapsed_substeps += substeps
        self._unwritten[:] = True

    def state_writer(self, response: Batch) -> Callable[[], None]:
        """Return a function that writes the present states to `response`; those of unchanged worlds are kept."""
        states = response["state"].stacked

        def write() -> None:
            for world in np.flatnonzero(self._unwritten).tolist():
                self._write_state_of[world]()
            self._unwritten[:] = False
            states.assign([0], self._responses["state"])

        return write

    def picture(self) -> Picture:
        """Return everything in a frame of the first world that is not a body of the model."""
        return self._scenes[0].picture()


def _distribute(request: Batch, requests: Batch) -> None:
    """Write the fields of a batched request, a batch of one, to the plain requests of the worlds."""
    for name in requests.array.dtype.names or ():
        if name in SHARED_FIELDS:
            continue
        given, target = request[name], requests[name]
        if isinstance(given, Elements):
            target.assign(slice(None), given.rows())
        else:
            target[:] = given[0]


def _rows(layout: Layout, count: int) -> tuple[Batch, list[Batch]]:
    """Return `count` messages in one memory: all as a batch, and each as a batch of one."""
    memory = np.tile(np.frombuffer(layout.empty(1).bytes(0), np.uint8), (count, 1))
    return layout.view(memory), [layout.view(memory[row : row + 1]) for row in range(count)]
