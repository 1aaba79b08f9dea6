"""`rl-pipeline doctor`: the capabilities of this machine, and the packages that would add more."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import platform
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table

from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.registration import command_options
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.plurals import plural
from rl_pipeline.ros.definitions import check_built
from rl_pipeline.ros.installation import BUILD, INTERFACES, distribution, require_interfaces, require_ros
from rl_pipeline.transport.batch_io import LIBRARY, is_compiled

if TYPE_CHECKING:
    from rich.console import Console

PORT: Final = 10000
"""Port that players try by default."""
PROBE_TIMEOUT: Final = 10.0
"""Seconds for a program to print its capabilities."""


@dataclass(frozen=True)
class Finding:
    """A row of the table.

    Attributes:
        name: the capability.
        available: True; False for a missing one that most uses need, None for a missing one that is optional.
        found: its version, device or file, or the reason of its absence.
        advice: steps to get it; empty when there is nothing to do.
    """

    name: str
    available: bool | None
    found: str
    advice: str = ""


@command_options(epilog="Example: rl-pipeline doctor")
def doctor() -> None:
    """Show the capabilities of this machine, and the packages that would add more."""
    print_findings(make_console())


def print_findings(console: Console) -> None:
    """Print the findings as a table."""
    table = Table(box=box.SIMPLE_HEAD, title="capabilities of this machine", title_justify="left")
    table.add_column("")
    table.add_column("", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("for more", overflow="fold")
    marks = {True: "[green]yes[/]", False: "[red]no[/]", None: "[yellow]not here[/]"}
    for finding in findings():
        table.add_row(finding.name, marks[finding.available], finding.found, finding.advice)
    console.print(table)


def findings() -> list[Finding]:
    """Return all findings, in the order of the table."""
    return [_python(), _link(), _torch(), *_gl(), _display(), _ffmpeg(), *_ros(), _port(), *_wandb()]


def _python() -> Finding:
    available = tuple(map(int, platform.python_version_tuple()[:2])) >= (3, 11)
    cores = os.cpu_count() or 1
    found = f"{platform.python_version()}, {cores} {plural(cores, 'core')}"
    return Finding("Python", available, found, "" if available else "Python 3.11 or newer")


def _link() -> Finding:
    """Report whether steps go through the compiled loops or through the same loops in Python."""
    if is_compiled():
        return Finding("link", True, "compiled loops")
    advice = "a C compiler (apt-get install gcc libc6-dev), then install this package again"
    return Finding("link", None, f"loops in Python, which are slower: {LIBRARY.name} cannot be loaded", advice)


def _torch() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("CUDA", True, f"PyTorch {torch.__version__}, {torch.cuda.get_device_name(0)}")
    advice = "not needed for small policies; else an NVIDIA driver and a CUDA build of PyTorch"
    return Finding("CUDA", None, f"PyTorch {torch.__version__}, training on the CPU", advice)


def _gl() -> list[Finding]:
    """Report the libraries of MuJoCo's two headless renderers."""
    packages = {"EGL": "apt-get install libegl1 libgl1-mesa-dri", "OSMesa": "apt-get install libosmesa6"}
    libraries = {name: ctypes.util.find_library(name) for name in packages}

    # One of the two is enough; without both, frames come from the renderer in NumPy.
    painted = "" if any(libraries.values()) else "; frames are drawn by the painter"
    rows = []
    for name, library in libraries.items():
        if library:
            rows.append(Finding(f"GL: {name}", True, library))
        else:
            rows.append(Finding(f"GL: {name}", None, f"no library{painted}", packages[name]))
    return rows


def _display() -> Finding:
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if display:
        return Finding("display", True, display)
    return Finding("display", None, "none: videos instead of windows", "a desktop session, or `ssh -X`, to see windows")


def _ffmpeg() -> Finding:
    """Report whether ffmpeg is there and encodes H.264, the format of all videos."""
    try:
        import imageio_ffmpeg

        executable = imageio_ffmpeg.get_ffmpeg_exe()
        encoders = subprocess.run(
            [executable, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=PROBE_TIMEOUT, check=True
        ).stdout
    except (ImportError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        return Finding("videos", False, f"no ffmpeg: {error}", "pip install imageio-ffmpeg, or set IMAGEIO_FFMPEG_EXE")
    # Distributions without patent licences ship ffmpeg without libx264.
    if "libx264" not in encoders:
        return Finding("videos", False, f"{executable} lacks H.264", "an ffmpeg with libx264 in IMAGEIO_FFMPEG_EXE")
    return Finding("videos", True, f"H.264 by {executable}")


def _ros() -> list[Finding]:
    """Report whether nodes run here, and whether the workspace is built from the present definitions."""
    try:
        require_ros()
    except InputError as error:
        problem = str(error).removeprefix("ROS 2: ")
        return [Finding("ROS 2", None, problem, "not needed for training; the container has it")]

    # The three settings that decide which other nodes are seen.
    domain = os.environ.get("ROS_DOMAIN_ID") or "0"
    middleware = os.environ.get("RMW_IMPLEMENTATION") or "default middleware"
    found = f"rclpy of {distribution() or 'an unknown distribution'}, domain {domain}, {middleware}"
    ros = Finding("ROS 2", True, found)

    # A workspace built before a change of its .srv files exchanges other bytes.
    try:
        require_interfaces()
        for name in load_interfaces().services:
            if name.startswith(f"{INTERFACES}/"):
                check_built(load_interfaces().service(name))
    except InputError as error:
        return [ros, Finding("ROS workspace", False, str(error).removeprefix("ROS 2: "), BUILD)]
    return [ros, Finding("ROS workspace", True, f"{INTERFACES} is built as it is defined")]


def _port() -> Finding:
    with socket.socket() as probe:
        # As servers do: a port of a process that has just ended is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError as error:
            advice = "for players started elsewhere, end the program that uses it or set ros.tcp_port"
            return Finding(f"port {PORT}", False, error.strerror or str(error), advice)
    return Finding(f"port {PORT}", True, "free")


def _wandb() -> list[Finding]:
    """Report whether W&B is installed and logged in, without asking its server."""
    if importlib.util.find_spec("wandb") is None:
        return [Finding("W&B", None, "not installed", "pip install wandb")]
    import wandb

    mode = os.environ.get("WANDB_MODE", "online")
    try:
        key = wandb.login(prompt=False, verify=False)
    except Exception as error:  # a broken settings file, for example
        return [Finding("W&B login", False, str(error), "wandb login --relogin")]
    if key:
        login = Finding("W&B login", True, "there is an API key")
    else:
        login = Finding("W&B login", None, "no API key: runs are logged offline", "wandb login")
    return [login, Finding("W&B mode", True, mode)]
