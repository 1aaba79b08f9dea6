"""OpenGL on this machine: import MuJoCo with a working GL, and find an offscreen backend.

Backends are tried in a process of their own, since a driver may crash it. A GL that computes on the CPU does not count:
it takes ten times as long as the painter, and looks no better. This module imports MuJoCo only when it is asked to.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

VARIABLE: Final = "MUJOCO_GL"
"""Environment variable of MuJoCo that chooses the GL backend."""
DISABLED: Final = "disabled"

LIBRARIES: Final = {"egl": "EGL", "osmesa": "OSMesa"}
"""Libraries of MuJoCo's offscreen backends."""

PROBE_TIMEOUT: Final = 20.0
"""Seconds in which a driver must draw its first frame."""

SOFTWARE_RENDERERS: Final = ("llvmpipe", "softpipe", "swrast", "swr", "software")
"""Parts of the names of GL renderers that compute on the CPU."""

_DEVICES: Final = ("dri/renderD*", "nvidia[0-9]*", "dxg", "nvhost-gpu", "mali*", "kgsl*")
"""Device files of GPUs on Linux: any kind, NVIDIA, WSL, and embedded computers."""

SWITCHED_OFF: Final = ("disable", "disabled", "off", "false", "0")
"""Values of MUJOCO_GL that switch GL off."""


def import_mujoco() -> None:
    """Import MuJoCo if MUJOCO_GL is set; if that GL does not work, warn and set the variable to `disabled`.

    MuJoCo loads the GL of MUJOCO_GL when it is imported. Without the variable it can be imported anywhere.
    """
    wish = os.environ.get(VARIABLE, "").strip()
    if not wish:
        return
    try:
        import mujoco
    except Exception as error:  # from OpenGL or MuJoCo, depending on what is missing
        logger.warning("MUJOCO_GL=%s does not work here (%s: %s): no GL is used", wish, type(error).__name__, error)
        os.environ[VARIABLE] = DISABLED
        import mujoco  # noqa: F401


@cache
def working_backend() -> str | None:
    """Return the backend to render with, `egl` or `osmesa`; None if none works.

    The environment variable MUJOCO_GL decides, as for MuJoCo: `disabled`, or one of the two, which is then used even if
    it computes on the CPU.
    """
    wish = os.environ.get(VARIABLE, "").strip().lower()
    if wish in SWITCHED_OFF:
        return None
    if wish not in LIBRARIES and not _has_gpu():
        return None  # trying the backends would take half a second
    # The first backend that draws a frame on a GPU, or the one that was asked for.
    for backend in [wish] if wish in LIBRARIES else LIBRARIES:
        if library_loads(backend) and (renderer := renderer_name(backend)):
            if backend == wish or not any(name in renderer.lower() for name in SOFTWARE_RENDERERS):
                return backend
            logger.info("no use of GL by %s: %s computes on the CPU", backend, renderer)
    return None


def _has_gpu() -> bool:
    """Return False if this is Linux and has no GPU; on other systems this is not known."""
    return not sys.platform.startswith("linux") or any(True for name in _DEVICES for _ in Path("/dev").glob(name))


def library_loads(backend: str) -> bool:
    """Return True if the library of a backend can be loaded, with all its dependencies."""
    name = ctypes.util.find_library(LIBRARIES[backend])
    if name is None:
        return False
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def renderer_name(backend: str) -> str | None:
    """Draw a frame in a process of its own; return the name of the GL renderer, None if there is no frame."""
    command = [sys.executable, "-m", "rl_pipeline.players.rendering.gl_probe", backend]
    try:
        probe = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.info("no GL by %s: %s", backend, error)
        return None
    # The last line of a traceback names the cause.
    if probe.returncode != 0:
        reason = (probe.stderr.strip().splitlines() or ["the frame is blank"])[-1]
        logger.info("no GL by %s: %s", backend, reason)
        return None
    return probe.stdout.strip() or "unknown"
