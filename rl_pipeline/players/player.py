"""A player at work: the services of a scene, the pace of its time, its frames and its window."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from rl_pipeline.interfaces import Batch, LatestMessage, MessageCodec, load_interfaces
from rl_pipeline.players.clock import Pace
from rl_pipeline.players.options import PlayerOptions
from rl_pipeline.players.rendering.frame_source import FrameSource
from rl_pipeline.players.scene import Simulated
from rl_pipeline.players.topics import Topics
from rl_pipeline.transport.client import Client

IDLE_WAIT: Final = 1.0
"""Longest wait for the endpoint, s, when nothing else is to be done."""

WINDOW_PERIOD: Final = 1 / 30
"""Time between two looks after the window, s."""


class Window(Protocol):
    """Where a person watches the scene."""

    def is_open(self) -> bool:
        """Whether it has not been closed by the person."""

    def show(self) -> None:
        """Bring it up to date."""


@dataclass(frozen=True)
class _Answer:
    """A response with an image of so many bytes, perhaps none, that is filled again and again."""

    response: Batch
    write_state: Callable[[], None]
    image_size: int = 0


@dataclass
class _Service:
    """The last request of one service, the codec of its responses, its answer without image and the last with it."""

    request: LatestMessage
    response: MessageCodec
    bare: _Answer
    filmed: _Answer


class Player:
    """Offers a scene's reset and step to the endpoint until it is interrupted or its window is closed.

    Args:
        scene: what is simulated, or several worlds of it.
        options: how it is run.
        frames: what draws the frames; None: they stay empty.
        window: where a person watches; None: nowhere.
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
        self._pace = Pace(options.time_scale) if options.time_scale > 0.0 else None
        self._frames = frames
        self._window = window
        self._shown = -WINDOW_PERIOD
        self._client = Client(options.ros_ip, options.ros_port, options.ros_token)
        prefix, suffix = f"/{scene.name}_{options.environment_id}", scene.service_suffix
        self._reset_service = self._offer(f"{prefix}/reset{suffix}", scene.reset_service)
        self._step_service = self._offer(f"{prefix}/step{suffix}", scene.step_service)
        self._topics = Topics(scene, self._client, options, frames)

    def run(self, told_to_end: Callable[[], bool] = lambda: False) -> None:
        """Answer requests until told to end, the window is closed, or an exception such as SystemExit ends it."""
        try:
            if self._pace is not None:
                self._pace.restart()
            while not told_to_end() and (self._window is None or self._window.is_open()):
                self._client.poll(self._wait())
                if not self._pause:
                    self._catch_up()
                self._topics.publish()
                self._show()
        finally:
            self._client.close()

    def _offer(self, name: str, type_name: str) -> _Service:
        codecs = load_interfaces().service(type_name)
        response = codecs.response.layout(self._scene.lengths).empty(1)
        bare = _Answer(response, self._scene.state_writer(response))
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
        if self._pause and self._pace is not None:
            self._pace.restart()
        self._advance(self._scene.substeps)
        self._show()
        return self._respond(self._step_service, received, bool(request["render"][0]))

    def _advance(self, substeps: int) -> None:
        """Simulate at the pace asked for."""
        if self._pace is None:
            self._scene.advance(substeps)
            return
        for _ in range(substeps):
            self._scene.advance(1)
            self._pace.spend(self._scene.timestep)
            self._pace.wait()
            self._show()

    def _catch_up(self) -> None:
        """Simulate what has become due while waiting for requests, but no longer than a control period at a time.

        The limit keeps a machine that is too slow for the pace from never looking at requests again.
        """
        assert self._pace is not None
        for _ in range(self._scene.substeps):
            if self._pace.ahead() > 0.0:
                break
            self._scene.advance(1)
            self._pace.spend(self._scene.timestep)

    def _wait(self) -> float:
        """How long to wait for requests before something else is due, s."""
        wait = IDLE_WAIT if self._window is None else WINDOW_PERIOD
        if not self._pause and self._pace is not None:
            wait = min(wait, max(0.0, self._pace.ahead()))
        return wait

    def _show(self) -> None:
        """Bring the window up to date, no more often than anybody could see."""
        if self._window is not None and (now := time.monotonic()) - self._shown >= WINDOW_PERIOD:
            self._shown = now
            self._window.show()

    def _respond(self, service: _Service, received: int, render: bool) -> bytes:
        """The payload of a response of the present state, with a frame if asked for."""
        answer = self._with_image(service) if render and self._frames is not None else service.bare
        answer.write_state()
        response = answer.response
        response["simulated_time"][0] = self._scene.simulated_time
        _stamp(response, "request_received", received)
        _stamp(response, "response_sent", time.time_ns())
        return response.bytes(0)

    def _with_image(self, service: _Service) -> _Answer:
        """An answer with a frame, of the frame's own length; frames of one length, such as raw ones, share it."""
        assert self._frames is not None
        frame = self._frames.encoded()
        if service.filmed.image_size != len(frame):
            kind = self._frames.format
            lengths = {**self._scene.lengths, "image.format": len(kind), "image.data": len(frame)}
            response = service.response.layout(lengths).empty(1)
            response["image.format"] = kind
            service.filmed = _Answer(response, self._scene.state_writer(response), len(frame))
        response = service.filmed.response
        response["image.data"] = frame
        _stamp(response, "image.header.stamp", time.time_ns())
        return service.filmed


def _stamp(response: Batch, path: str, nanoseconds: int) -> None:
    """Write a wall-clock time into a builtin_interfaces/Time."""
    seconds, rest = divmod(nanoseconds, 10**9)
    response[f"{path}.sec"][0], response[f"{path}.nanosec"][0] = seconds, rest
