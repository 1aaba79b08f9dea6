"""Window of a player: MuJoCo's interactive viewer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import mujoco

from rl_pipeline.errors import InputError
from rl_pipeline.players.rendering.gl_renderer import add_marks
from rl_pipeline.players.rendering.picture import Camera, Picture

_WAY_OUT = "to run without a window, set headless_mode: true in config.yml (-batchmode on the player's command line)"


class Viewer:
    """Window that shows the present state of a simulation in this process.

    Args:
        model: compiled model.
        data: its state.
        camera: first view; the user can move it.
        picture: function that returns everything else to show at present.

    Raises:
        InputError: there is no display, or no OpenGL on it.
    """

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, camera: Camera, picture: Callable[[], Picture]
    ) -> None:
        # Without a display, MuJoCo's viewer would end the process.
        _require_display()
        import mujoco.viewer

        model.vis.global_.fovy = camera.field_of_view
        self._picture = picture
        self._viewer = mujoco.viewer.launch_passive(model, data, show_left_ui=False, show_right_ui=False)
        # The viewer draws in a thread of its own.
        with self._viewer.lock():
            self._viewer.cam.lookat[:] = camera.lookat
            self._viewer.cam.distance = camera.distance
            self._viewer.cam.azimuth, self._viewer.cam.elevation = camera.azimuth, camera.elevation

    def is_open(self) -> bool:
        """Return False once the user has closed the window."""
        return bool(self._viewer.is_running())

    def show(self) -> None:
        """Draw the present state."""
        with self._viewer.lock():
            self._viewer.user_scn.ngeom = 0
            add_marks(self._viewer.user_scn, self._picture())
        self._viewer.sync()

    def close(self) -> None:
        """Close the window."""
        self._viewer.close()


def _require_display() -> None:
    """Raise `InputError` if a window cannot be opened."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise InputError(f"a window needs a display, but neither DISPLAY nor WAYLAND_DISPLAY is set; {_WAY_OUT}")
    import glfw

    # MuJoCo opens its window in a thread, where a failure ends the process: try a hidden window first.
    glfw.ERROR_REPORTING = "ignore"
    window = None
    if glfw.init():
        glfw.window_hint(glfw.VISIBLE, False)
        window = glfw.create_window(64, 64, "", None, None)
    if not window:
        reason: Any = glfw.get_error()[1]  # bytes, though typed otherwise
        raise InputError(f"a window cannot be opened here ({reason.decode() if reason else 'no GL'}); {_WAY_OUT}")
    glfw.destroy_window(window)
    glfw.default_window_hints()
