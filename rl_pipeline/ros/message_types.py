"""Message and service classes of rclpy by their names on the wire."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.ros.installation import BUILD, distribution


@cache
def message_class(name: str) -> Any:
    """Return the class of a message type, named `package/Type` or `package/msg/Type`.

    Raises:
        InputError: its package is not built or not installed.
        UnknownNameError: the package has no such message.
    """
    return _load(name, "msg")


@cache
def service_class(name: str) -> Any:
    """Return the class of a service type, named `package/Type` or `package/srv/Type`; it has `Request` and `Response`.

    Raises:
        InputError: its package is not built or not installed.
        UnknownNameError: the package has no such service.
    """
    return _load(name, "srv")


def _load(name: str, kind: str) -> Any:
    package, _, type_name = name.replace(f"/{kind}/", "/").partition("/")
    # A missing package is an error of the user, a missing import inside it is not.
    try:
        module = importlib.import_module(f"{package}.{kind}")
    except ModuleNotFoundError as error:
        if error.name not in (package, f"{package}.{kind}"):
            raise
        raise InputError(f"{name}: {_advice(package)}") from None
    classes = [each for each in vars(module) if each[:1].isupper()]
    if type_name not in classes:
        noun = "message" if kind == "msg" else "service"
        raise UnknownNameError(noun, name, (f"{package}/{each}" for each in classes), f"the built {package}")
    return getattr(module, type_name)


def _advice(package: str) -> str:
    if package in load_interfaces().packages:
        return f"the workspace is not built for this Python; run: {BUILD}"
    found = distribution() or "<distribution>"
    apt = f"ros-{found}-{package.replace('_', '-')}"
    return f"no ROS package {package} is installed; it may be had as {apt}, from apt or from pip"
