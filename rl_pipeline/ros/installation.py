"""Checks that ROS 2 is installed for this Python, with advice if it is not."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from rl_pipeline.errors import InputError

APT_ROOT: Final = Path("/opt/ros")
INSTALL: Final = "bash install.bash ros"
INTERFACES: Final = "interfaces_pkg"
BUILD: Final = "bash ros_ws/build.bash"


def require_ros() -> None:
    """Check that rclpy can be imported, and belongs to the distribution that `ROS_DISTRO` names.

    Raises:
        InputError: it is missing, or belongs to another Python or distribution.
    """
    # Found at all, of the right distribution, and made for this version of Python: in this order.
    wanted = os.environ.get("ROS_DISTRO")
    if find_spec("rclpy") is None:
        raise InputError(f"ROS 2: this Python has no rclpy; {_advice(wanted)}")
    found = distribution()
    if wanted and found and wanted != found:
        raise InputError(
            f"ROS_DISTRO: expected {found}, of which rclpy is ({_origin()}), found {wanted}; "
            f"unset ROS_DISTRO, or use a Python that has the rclpy of {wanted}"
        )
    try:
        importlib.import_module("rclpy")
    except ImportError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise InputError(
            f"ROS 2: {_origin()} cannot be imported by Python {version} ({str(error).splitlines()[0]}); "
            f"was it made for another version of Python?"
        ) from None


def distribution() -> str | None:
    """Return the ROS distribution of this Python's rclpy, such as `jazzy`; None if unknown."""
    # From apt, by its folder; from pip, by the name of the package.
    origin = _origin()
    if origin is not None and origin.is_relative_to(APT_ROOT):
        return origin.relative_to(APT_ROOT).parts[0]
    for package in importlib.metadata.distributions():
        if match := re.fullmatch(r"ros-(\w+)-rclpy", package.name or ""):
            return match[1]
    return None


def require_interfaces() -> None:
    """Check that ROS 2 is installed, and the workspace built for this Python.

    Raises:
        InputError: one is missing.
    """
    require_ros()
    if find_spec(INTERFACES) is None:
        raise InputError(f"ROS 2: {INTERFACES} is not built for this Python; run: {BUILD}")


def _origin() -> Path | None:
    """Return the folder of rclpy."""
    spec = find_spec("rclpy")  # finds it without importing it
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _advice(wanted: str | None) -> str:
    there = sorted(folder.name for folder in APT_ROOT.iterdir()) if APT_ROOT.is_dir() else []
    if wanted and wanted not in there:
        have = f"those here are {', '.join(there)}" if there else f"there is none in {APT_ROOT}"
        return f"ROS_DISTRO is {wanted}, but {have}; or install it into .venv: {INSTALL}"
    if there:
        return f"source {APT_ROOT / (wanted or there[0])}/setup.bash first, in a Python that it was made for"
    return f"install it into .venv: {INSTALL}"
