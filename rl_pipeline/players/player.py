"""Player: offers the services of a scene to the endpoint, at its pace, with its frames and its window."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from rl_pipeline.interfaces import Batch, LatestMessage, MessageCodec, load_interfaces
from rl_pipeline.players.clock import Clock
from rl_pipeline.players.options import PlayerOptions
from rl_pipeline.players.rendering.frame_source import FrameSource
from rl_pipeline.players.scene import Simulated
from rl_pipeline.players.topics import Topics
from rl_pipeline.transport.client import Client

IDLE_WAIT: Final = 1.0
"""Longest wait for a request, s."""

WINDOW_PERIOD: Final = 1 / 30
"""Time between two updates of the window, s."""


class Window(Protocol):
    """A window on the scene."""

    def is_open(self) -> bool:
        """Return False once the user has closed the window."""

    def show(self) -> None:
        """Draw the present state."""


@dataclass(frozen=True)
class _ResponseBuffer:
    """A response with room for an image of `image_size` bytes, which is filled again for each request."""

    response: Batch
    write_state: Callable[[], None]
    image_size: int = 0


@dataclass
class _Service:
    """Codecs and buffers of one service: request, response without image, last response with one."""

    request: LatestMessage
    response: MessageCodec
    bare: _ResponseBuffer
    filmed: _ResponseBuffer


class Player:
    """Offers the services `reset` and `step` of a scene to the endpoint.

    Args:
        scene: the scene, or several worlds of it.
        options: command line of the player.
        frames: source of frames; None: images of responses stay empty.
        window: window that shows the scene; None: no window.
    """

    def __init__(
        self,
        scene: Simulated,
        options: PlayerOptions,
        frames: FrameSource | None = None,
        window: Window | None = None,
    ) -> None:
        self._scene = scene
        self._pause = options.pause
        self._clock = Clock(options.time_scale) if options.time_scale > 0.0 else None
        self._frames = frames
        self._window = window
        self._shown = -WINDOW_PERIOD
        self._client = Client(options.ros_ip, options.ros_port, options.ros_token)
        # Services and topics are registered when the client connects.
        prefix, suffix = f"/{scene.name}_{options.environment_id}", scene.service_suffix
        self._reset_service = self._offer(f"{prefix}/reset{suffix}", scene.reset_service)
        self._step_service = self._offer(f"{prefix}/step{suffix}", scene.step_service)
        self._topics = Topics(scene, self._client, options, frames)

    def run(self, should_end: Callable[[], bool] = lambda: False) -> None:
        """Answer requests until `should_end` returns True, the window is closed, or an exception such as SystemExit."""
        try:
            if self._clock is not None:
                self._clock.restart()
            # Requests are answered within poll().
            while not should_end() and (self._window is None or self._window.is_open()):
                self._client.poll(self._wait())
                if not self._pause:
                    self._catch_up()
                self._topics.publish()
                self._show()
        finally:
            self._client.close()

    def _offer(self, name: str, type_name: str) -> _Service:
        """Register a service at the endpoint."""
        codecs = load_interfaces().service(type_name)
        response = codecs.response.layout(self._scene.lengths).empty(1)
        bare = _ResponseBuffer(response, self._scene.state_writer(response))
        service = _Service(LatestMessage(codecs.request), codecs.response, bare, bare)
        answer = self._step if type_name == self._scene.step_service else self._reset
        self._client.serve(name, type_name, answer)
        return service

    def _reset(self, payload: memoryview) -> bytes:
        received = time.time_ns()
        request = self._reset_service.request.decode(payload)
        self._scene.begin(request)
        self._show()
        return self._respond(self._reset_service, received, bool(request["render"][0]))

    def _step(self, payload: memoryview) -> bytes:
        received = time.time_ns()
        request = self._step_service.request.decode(payload)
        self._scene.act(request)
        if self._pause and self._clock is not None:
            self._clock.restart()
        self._advance(self._scene.substeps)
        self._show()
        return self._respond(self._step_service, received, bool(request["render"][0]))

    def _advance(self, substeps: int) -> None:
        """Simulate substeps, each at its time if the player has a time scale."""
        if self._clock is None:
            self._scene.advance(substeps)
            return
        for _ in range(substeps):
            self._scene.advance(1)
            self._clock.spend(self._scene.timestep)
            self._clock.wait()
            self._show()

    def _catch_up(self) -> None:
        """Simulate the time that has passed while waiting for requests, at most one control period.

        Without this limit a machine that is too slow for the time scale would never look at requests again.
        """
        assert self._clock is not None
        for _ in range(self._scene.substeps):
            if self._clock.ahead() > 0.0:
                break
            self._scene.advance(1)
            self._clock.spend(self._scene.timestep)

    def _wait(self) -> float:
        """Return the time to wait for requests before something else is due, s."""
        wait = IDLE_WAIT if self._window is None else WINDOW_PERIOD
        if not self._pause and self._clock is not None:
            wait = min(wait, max(0.0, self._clock.ahead()))
        return wait

    def _show(self) -> None:
        """Update the window, at most 30 times a second."""
        if self._window is not None and (now := time.monotonic()) - self._shown >= WINDOW_PERIOD:
            self._shown = now
            self._window.show()

    def _respond(self, service: _Service, received: int, render: bool) -> bytes:
        """Return the payload of a response with the present state, and with a frame if the request asks for one."""
        answer = self._with_image(service) if render and self._frames is not None else service.bare
        answer.write_state()
        response = answer.response
        response["simulated_time"][0] = self._scene.simulated_time
        _stamp(response, "request_received", received)
        _stamp(response, "response_sent", time.time_ns())
        return response.bytes(0)

    def _with_image(self, service: _Service) -> _ResponseBuffer:
        """Return a response buffer with a frame; frames of the same length, such as raw ones, share a buffer."""
        assert self._frames is not None
        frame = self._frames.encoded()
        # JPEG frames differ in length, and the layout of a response depends on it.
        if service.filmed.image_size != len(frame):
            kind = self._frames.format
            lengths = {**self._scene.lengths, "image.format": len(kind), "image.data": len(frame)}
            response = service.response.layout(lengths).empty(1)
            response["image.format"] = kind
            service.filmed = _ResponseBuffer(response, self._scene.state_writer(response), len(frame))
        response = service.filmed.response
        response["image.data"] = frame
        _stamp(response, "image.header.stamp", time.time_ns())
        return service.filmed


def _stamp(response: Batch, path: str, nanoseconds: int) -> None:
    """Write a wall-clock time to a field of type builtin_interfaces/Time."""
    seconds, rest = divmod(nanoseconds, 10**9)
    response[f"{path}.sec"][0], response[f"{path}.nanosec"][0] = seconds, rest
