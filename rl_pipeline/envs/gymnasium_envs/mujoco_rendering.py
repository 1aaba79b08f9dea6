"""Frames of Gymnasium's MuJoCo environments where there is no display: by an offscreen GL, if one works."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import gymnasium
from gymnasium.envs.registration import load_env_creator

from rl_pipeline.players.rendering.gl_backend import LIBRARIES, SWITCHED_OFF, VARIABLE, library_loads, renderer_name

logger = logging.getLogger(__name__)


def is_headless() -> bool:
    """Return True if no window can be opened here; detected on Linux only."""
    return sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def offscreen_backend() -> str | None:
    """Return the offscreen GL, `egl` or `osmesa`, that renders a frame, on the CPU too; None: there is none."""
    return next((name for name in LIBRARIES if library_loads(name) and renderer_name(name)), None)


def working_render_mode(env_id: str, render_mode: str | None) -> str | None:
    """Return the render mode, or None with a warning for a MuJoCo environment that cannot draw on this machine.

    Without a display and MUJOCO_GL, that variable is set to the backend that works: Gymnasium would try GLFW.
    """
    if render_mode != "rgb_array" or not is_headless() or not _draws_by_mujoco(env_id):
        return render_mode
    # A choice of the user stands.
    wish = os.environ.get(VARIABLE, "").strip().lower()
    if wish in SWITCHED_OFF:
        logger.warning("no videos: %s draws by OpenGL, and MUJOCO_GL=%s", env_id, wish)
        return None
    if wish:
        return render_mode
    # Otherwise the first backend that works.
    if (backend := offscreen_backend()) is None:
        logger.warning(
            "no videos: %s draws by OpenGL, and there is neither a display nor a working EGL or OSMesa (on Debian: "
            "apt install libegl1 or libosmesa6)",
            env_id,
        )
        return None
    logger.info("frames of %s are rendered by GL (%s)", env_id, backend)
    os.environ[VARIABLE] = backend
    return render_mode


def _draws_by_mujoco(env_id: str) -> bool:
    entry_point: Any = gymnasium.spec(env_id).entry_point
    creator = load_env_creator(entry_point) if isinstance(entry_point, str) else entry_point
    bases = getattr(creator, "__mro__", ())
    return any("mujoco" in f"{base.__module__}.{base.__qualname__}".lower() for base in bases)
