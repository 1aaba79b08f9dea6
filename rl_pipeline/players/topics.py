"""Topics of a player: what its camera sees, and commands that drive it while time runs on."""

from __future__ import annotations

import time
from typing import Final

import numpy as np

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.players.command_line import PlayerOptions
from rl_pipeline.players.rendering.frames import FORMAT, FrameSource
from rl_pipeline.players.simulated import Simulated
from rl_pipeline.transport.client import Client

IMAGE: Final = "sensor_msgs/CompressedImage"


class Topics:
    """Publishes `/<scene>_<environment-id>/camera` and takes `.../command`.

    Frames are published with `--camera-rate`. Commands are taken with `--pause false`: while time stands still between
    requests, only these say what is done.

    Args:
        scene: what is seen and driven.
        client: the connection to the endpoint.
        options: how the player is run.
        frames: what draws the frames; None: there are none.
    """

    def __init__(self, scene: Simulated, client: Client, options: PlayerOptions, frames: FrameSource | None) -> None:
        self._scene = scene
        self._client = client
        self._camera = f"/{scene.name}_{options.environment_id}/camera"
        self._frame_id = f"{scene.name}_{options.environment_id}_camera"
        self._frames = frames if options.camera_rate > 0.0 else None
        self._period = 1.0 / options.camera_rate if options.camera_rate > 0.0 else 0.0
        self._due = 0.0
        if self._frames is not None:
            self._image = load_interfaces().message(IMAGE)
            client.advertise(self._camera, IMAGE)
        if scene.command_type is not None and not options.pause:
            self._command = load_interfaces().message(scene.command_type)
            client.subscribe(f"/{scene.name}_{options.environment_id}/command", scene.command_type, self._obey)

    def publish(self) -> None:
        """Publish a frame if one is due in simulated time."""
        if self._frames is None or self._scene.simulated_time < self._due or not self._client.connected:
            return
        # What was missed is not made up for: after a long step comes one frame.
        self._due = max(self._due + self._period, self._scene.simulated_time)
        seconds, nanoseconds = divmod(time.time_ns(), 10**9)
        header = {"stamp": {"sec": seconds, "nanosec": nanoseconds}, "frame_id": self._frame_id}
        message = {"header": header, "format": FORMAT, "data": np.frombuffer(self._frames.encoded(), np.uint8)}
        self._client.publish(self._camera, self._image.encode(message))

    def _obey(self, payload: memoryview) -> None:
        self._scene.command(self._command.decode_batch([payload]))
