"""Service calls of rclpy alone, which benchmarks compare with: types, executors, domains, and services to call."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

DEFAULT_EXECUTOR: Final = "SingleThreadedExecutor"
"""Executor of `rclpy.spin`."""
EVENTS_EXECUTOR: Final = "EventsExecutor"
"""Executor that is woken by events, of newer versions of rclpy."""
TIMEOUT: Final = 30.0
"""Seconds for a discovery, a call, or the end of a process."""


def step_type() -> Any:
    """Return the Python class of the step service of the navigation task."""
    return importlib.import_module("interfaces_pkg.srv").NavigationStep


def make_executor(name: str, context: Any) -> Any:
    """Return a new executor of the class of this name."""
    module = "rclpy.experimental" if name == EVENTS_EXECUTOR else "rclpy.executors"
    return getattr(importlib.import_module(module), name)(context=context)


def has_events_executor() -> bool:
    """Return whether this rclpy has `EVENTS_EXECUTOR`."""
    try:
        return hasattr(importlib.import_module("rclpy.experimental"), EVENTS_EXECUTOR)
    except ImportError:
        return False


@contextmanager
def isolated_domain(domain: int) -> Iterator[None]:
    """Limit discovery of nodes made in the block to a ROS domain on this machine, in child processes too."""
    variables = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "ROS_DOMAIN_ID": str(domain)}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def start_service(stack: ExitStack, name: str, response: Path, executor: str = DEFAULT_EXECUTOR) -> None:
    """Start a process with a step service that answers at once with the payload of a file; ended by `stack`."""
    script = Path(__file__).parent / "peers" / "ros_service.py"
    process = subprocess.Popen([sys.executable, str(script), name, executor, str(response)], start_new_session=True)
    stack.callback(_terminate, process)


def _terminate(process: subprocess.Popen[bytes]) -> None:
    """Terminate a process; kill it if it does not end in time."""
    process.terminate()
    try:
        process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
