"""Which offscreen GL this machine has, found out where a crash of its driver harms nobody.

A GL that computes on the CPU does not count: it takes ten times as long as the painter, and looks no better.
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

LIBRARIES: Final = {"egl": "EGL", "osmesa": "OSMesa"}
"""The libraries of MuJoCo's offscreen backends."""

PROBE_TIMEOUT: Final = 20.0
"""Seconds that a driver may take to draw its first frame."""

SOFTWARE_RENDERERS: Final = ("llvmpipe", "softpipe", "swrast", "swr", "software")
"""What the names of GL renderers contain that compute on the CPU."""

_DEVICES: Final = ("dri/renderD*", "nvidia[0-9]*", "dxg", "nvhost-gpu", "mali*", "kgsl*")
"""What Linux has below /dev when there is a GPU: of any kind, of NVIDIA, in WSL, and on small computers."""

SWITCHED_OFF: Final = ("disable", "disabled", "off", "false", "0")


@cache
def working_backend() -> str | None:
    """The backend to render with, `egl` or `osmesa`, or None if there is none.

    The environment variable MUJOCO_GL has the last word, as it has for MuJoCo: `disabled`, or one of the two, which
    is then used even if it computes on the CPU.
    """
    wish = os.environ.get("MUJOCO_GL", "").strip().lower()
    if wish in SWITCHED_OFF:
        return None
    if wish not in LIBRARIES and not _has_gpu():
        return None  # to look for more takes half a second
    for backend in [wish] if wish in LIBRARIES else LIBRARIES:
        if library_loads(backend) and (renderer := renderer_name(backend)):
            if backend == wish or not any(name in renderer.lower() for name in SOFTWARE_RENDERERS):
                return backend
            logger.info("no use of GL by %s: %s computes on the CPU", backend, renderer)
    return None


def _has_gpu() -> bool:
    """Whether there may be a GPU; known on Linux alone."""
    return not sys.platform.startswith("linux") or any(True for name in _DEVICES for _ in Path("/dev").glob(name))


def library_loads(backend: str) -> bool:
    """Whether the library of a backend is on this machine, with all that it needs."""
    name = ctypes.util.find_library(LIBRARIES[backend])
    if name is None:
        return False
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def renderer_name(backend: str) -> str | None:
    """The name of the GL renderer from which a process of its own gets a frame; None if it gets none."""
    command = [sys.executable, "-m", "rl_pipeline.players.rendering.gl_probe", backend]
    try:
        probe = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.info("no GL by %s: %s", backend, error)
        return None
    if probe.returncode != 0:
        reason = (probe.stderr.strip().splitlines() or ["the frame is blank"])[-1]
        logger.info("no GL by %s: %s", backend, reason)
        return None
    return probe.stdout.strip() or "unknown"
