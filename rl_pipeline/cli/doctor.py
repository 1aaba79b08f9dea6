"""`rl-pipeline doctor`: what this machine can do, and what to install for more."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import platform
import socket
import subprocess
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.plurals import plural
from rl_pipeline.ros.definitions import check_built
from rl_pipeline.ros.installation import BUILD, INTERFACES, distribution, require_interfaces, require_ros
from rl_pipeline.transport.batch_io import LIBRARY, is_compiled

PORT = 10000
PROBE_TIMEOUT = 10.0


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        what: its name.
        works: whether it is there; None for what no one needs unless they want it.
        found: what was found.
        advice: what to do for more; empty when there is nothing to do.
    """

    what: str
    works: bool | None
    found: str
    advice: str = ""


def doctor(console: Console) -> None:
    """Print the findings as a table."""
    table = Table(box=box.SIMPLE_HEAD, title="what this machine can do", title_justify="left")
    table.add_column("")
    table.add_column("", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("for more", overflow="fold")
    marks = {True: "[green]yes[/]", False: "[red]no[/]", None: "[yellow]not here[/]"}
    for finding in findings():
        table.add_row(finding.what, marks[finding.works], finding.found, finding.advice)
    console.print(table)


def findings() -> list[Finding]:
    """Everything looked at, in the order of the table."""
    return [_python(), _link(), _torch(), *_gl(), _display(), _ffmpeg(), *_ros(), _port(), *_wandb()]


def _python() -> Finding:
    works = tuple(map(int, platform.python_version_tuple()[:2])) >= (3, 11)
    cores = os.cpu_count() or 1
    found = f"{platform.python_version()}, {cores} {plural(cores, 'core')}"
    return Finding("Python", works, found, "" if works else "Python 3.11 or newer")


def _link() -> Finding:
    """Whether steps go through the compiled loops, or through the same in Python."""
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
    """The libraries of MuJoCo's two headless renderers."""
    backends = (
        ("EGL", "EGL", "apt-get install libegl1 libgl1-mesa-dri"),
        ("OSMesa", "OSMesa", "apt-get install libosmesa6"),
    )
    libraries = {name: ctypes.util.find_library(library) for name, library, _ in backends}
    painted = "" if any(libraries.values()) else "; frames are drawn by the painter"
    return [
        Finding(f"GL: {name}", True, str(libraries[name]))
        if libraries[name]
        else Finding(f"GL: {name}", None, f"no library{painted}", advice)
        for name, _, advice in backends
    ]


def _display() -> Finding:
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if display:
        return Finding("display", True, display)
    return Finding("display", None, "none: videos instead of windows", "a desktop session, or `ssh -X`, to see windows")


def _ffmpeg() -> Finding:
    try:
        import imageio_ffmpeg

        executable = imageio_ffmpeg.get_ffmpeg_exe()
        encoders = subprocess.run(
            [executable, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=PROBE_TIMEOUT, check=True
        ).stdout
    except (ImportError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        return Finding("videos", False, f"no ffmpeg: {error}", "pip install imageio-ffmpeg, or set IMAGEIO_FFMPEG_EXE")
    if "libx264" not in encoders:
        return Finding("videos", False, f"{executable} lacks H.264", "an ffmpeg with libx264 in IMAGEIO_FFMPEG_EXE")
    return Finding("videos", True, f"H.264 by {executable}")


def _ros() -> list[Finding]:
    """Whether nodes can run here, and whether what they exchange is built as it is defined."""
    try:
        require_ros()
    except InputError as error:
        problem = str(error).removeprefix("ROS 2: ")
        return [Finding("ROS 2", None, problem, "not needed for training; the container has it")]
    domain = os.environ.get("ROS_DOMAIN_ID") or "0"
    middleware = os.environ.get("RMW_IMPLEMENTATION") or "default middleware"
    ros = Finding(
        "ROS 2", True, f"rclpy of {distribution() or 'an unknown distribution'}, domain {domain}, {middleware}"
    )
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
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError as error:
            advice = "for players started elsewhere, end what uses it or set ros.tcp_port"
            return Finding(f"port {PORT}", False, error.strerror or str(error), advice)
    return Finding(f"port {PORT}", True, "free")


def _wandb() -> list[Finding]:
    if importlib.util.find_spec("wandb") is None:
        return [Finding("W&B", None, "not installed", "pip install wandb")]
    import wandb

    mode = os.environ.get("WANDB_MODE", "online")
    try:
        key = wandb.login(prompt=False, verify=False)
    except Exception as error:  # a broken settings file, for example
        return [Finding("W&B login", False, str(error), "wandb login --relogin")]
    login = (
        Finding("W&B login", True, "there is an API key")
        if key
        else Finding("W&B login", None, "no API key: runs are logged offline", "wandb login")
    )
    return [login, Finding("W&B mode", True, mode)]
