"""Topics of a player: its state, what its camera sees, and commands that drive it while time runs on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import numpy as np

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.interfaces.types import Struct
from rl_pipeline.players.options import PlayerOptions
from rl_pipeline.players.rendering.frame_source import FrameSource
from rl_pipeline.players.scene import Simulated
from rl_pipeline.transport.client import Client

IMAGE: Final = "sensor_msgs/CompressedImage"
STATE: Final = "state"


class Topics:
    """Publishes `/<scene>_<environment-id>/state` and `.../camera`, and takes `.../command`.

    States are published with `--state-rate`, frames with `--camera-rate`. Commands are taken with `--pause false`:
    while time stands still between requests, only these say what is done.

    Args:
        scene: what is observed, seen and driven.
        client: the connection to the endpoint.
        options: how the player is run.
        frames: what draws the frames; None: there are none.

    Raises:
        InputError: states are asked for of something that has none to publish.
    """

    def __init__(self, scene: Simulated, client: Client, options: PlayerOptions, frames: FrameSource | None) -> None:
        self._scene = scene
        self._client = client
        self._published: list[_Published] = []
        name = f"/{scene.name}_{options.environment_id}"
        if options.state_rate > 0.0:
            type_name, encode = _state_encoder(scene)
            self._publish(f"{name}/state", type_name, options.state_rate, encode)
        if options.camera_rate > 0.0 and frames is not None:
            encode = _frame_encoder(frames, f"{name[1:]}_camera")
            self._publish(f"{name}/camera", IMAGE, options.camera_rate, encode)
        if scene.command_type is not None and not options.pause:
            self._command = load_interfaces().message(scene.command_type)
            client.subscribe(f"{name}/command", scene.command_type, self._obey)

    def publish(self) -> None:
        """Publish what is due in simulated time."""
        for topic in self._published:
            topic.publish(self._scene.simulated_time)

    def _publish(self, name: str, type_name: str, rate: float, encode: Callable[[], bytes]) -> None:
        self._client.advertise(name, type_name)
        self._published.append(_Published(self._client, name, 1.0 / rate, encode))

    def _obey(self, payload: memoryview) -> None:
        self._scene.command(self._command.decode_batch([payload]))


class _Published:
    """A topic that is published once in each period of simulated time, s."""

    def __init__(self, client: Client, name: str, period: float, encode: Callable[[], bytes]) -> None:
        self._client = client
        self._name = name
        self._period = period
        self._encode = encode
        self._due = 0.0

    def publish(self, simulated_time: float) -> None:
        """Publish a message, if one is due and the endpoint is there."""
        if simulated_time < self._due or not self._client.connected:
            return
        # Missed messages are not made up for: after a long step comes one.
        self._due = max(self._due + self._period, simulated_time)
        self._client.publish(self._name, self._encode())


def _state_encoder(scene: Simulated) -> tuple[str, Callable[[], bytes]]:
    """The message type of a scene's state, and what encodes the present one."""
    response = load_interfaces().service(scene.step_service).response.layout(scene.lengths).empty(1)
    struct = response.struct.fields.get(STATE)
    if not isinstance(struct, Struct):
        raise InputError(f"--state-rate: {scene.step_service} has no message {STATE!r}, so there is none to publish")
    lengths = {path.removeprefix(f"{STATE}."): length for path, length in scene.lengths.items()}
    message = load_interfaces().message(struct.name).layout(lengths).empty(1)
    write = scene.state_writer(response)

    def encode() -> bytes:
        write()
        message.assign(slice(None), response[STATE])
        return message.bytes(0)

    return struct.name, encode


def _frame_encoder(frames: FrameSource, frame_id: str) -> Callable[[], bytes]:
    """Source that draws and encodes the present frame."""
    codec = load_interfaces().message(IMAGE)

    def encode() -> bytes:
        seconds, nanoseconds = divmod(time.time_ns(), 10**9)
        header = {"stamp": {"sec": seconds, "nanosec": nanoseconds}, "frame_id": frame_id}
        return codec.encode({"header": header, "format": "jpeg", "data": np.frombuffer(frames.jpeg(), np.uint8)})

    return encode
