"""Topics of a player: state and camera frames that it publishes, and commands that it follows."""

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
    """Publisher of `/<scene>_<environment-id>/state` and `.../camera`, and subscriber of `.../command`.

    States are published with `--state-rate`, frames with `--camera-rate`. Commands are followed with `--pause false`:
    if time stands still between requests, only requests act on the scene.

    Args:
        scene: the scene.
        client: connection to the endpoint.
        options: options of the player.
        frames: source of frames; None: no frames are published.

    Raises:
        InputError: the response has no message `state` that could be published.
    """

    def __init__(self, scene: Simulated, client: Client, options: PlayerOptions, frames: FrameSource | None) -> None:
        self._scene = scene
        self._client = client
        self._published: list[_TimedTopic] = []
        name = f"/{scene.name}_{options.environment_id}"
        # Topics that the options ask for.
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
        """Publish the messages that are due in simulated time."""
        for topic in self._published:
            topic.publish(self._scene.simulated_time)

    def _publish(self, name: str, type_name: str, rate: float, encode: Callable[[], bytes]) -> None:
        self._client.advertise(name, type_name)
        self._published.append(_TimedTopic(self._client, name, 1.0 / rate, encode))

    def _obey(self, payload: memoryview) -> None:
        self._scene.command(self._command.decode_batch([payload]))


class _TimedTopic:
    """A topic with one message in each period of simulated time, s."""

    def __init__(self, client: Client, name: str, period: float, encode: Callable[[], bytes]) -> None:
        self._client = client
        self._name = name
        self._period = period
        self._encode = encode
        self._due = 0.0

    def publish(self, simulated_time: float) -> None:
        """Publish a message if one is due and the endpoint is connected."""
        if simulated_time < self._due or not self._client.connected:
            return
        # Missed messages are not sent later: a long step is followed by one message.
        self._due = max(self._due + self._period, simulated_time)
        self._client.publish(self._name, self._encode())


def _state_encoder(scene: Simulated) -> tuple[str, Callable[[], bytes]]:
    """Return the message type of a scene's state, and a function that encodes the present state."""
    # The state is a field of the step response; its type alone becomes the message.
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
    """Return a function that draws and encodes the present frame."""
    codec = load_interfaces().message(IMAGE)

    def encode() -> bytes:
        seconds, nanoseconds = divmod(time.time_ns(), 10**9)
        header = {"stamp": {"sec": seconds, "nanosec": nanoseconds}, "frame_id": frame_id}
        return codec.encode({"header": header, "format": "jpeg", "data": np.frombuffer(frames.jpeg(), np.uint8)})

    return encode
