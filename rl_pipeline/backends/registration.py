"""Registry of backends: the names that `simulation.backend` takes, and the functions that open them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rl_pipeline.backends.backend import Backend, BackendContext
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.errors import InputError
from rl_pipeline.registry import Registry, import_target

KEY: Final = "simulation.backend"
PLANNED: Final = ("mlagents",)
"""Names that are reserved for backends to come."""

BackendFactory = Callable[[BackendContext], Backend]
MachineCheck = Callable[[SimulationConfig], None]

BACKENDS: Final[Registry[BackendFactory]] = Registry("backend", KEY)
_CHECKS: Final[dict[str, MachineCheck | str]] = {}


def register_backend(name: str, factory: BackendFactory | str, *, check: MachineCheck | str | None = None) -> None:
    """Add a backend, which a configuration then names by `simulation.backend`.

    Args:
        name: name in configurations.
        factory: function or class that opens it from a `BackendContext`, or `module:name` to import it when it is
            first used.
        check: raises `InputError` if the backend cannot be used on this machine or with other settings, without
            starting anything; or `module:name`. None: it always can.

    Raises:
        InputError: the name is taken by another backend.
    """
    # Refuses a name that another backend has.
    BACKENDS.register(name, factory)
    if check is not None:
        _CHECKS[name] = check


def check_backend(config: SimulationConfig) -> None:
    """Check that the configured backend can be used on this machine, without starting anything.

    Raises:
        InputError: it is unknown, or cannot be used.
    """
    name = config.backend
    if name in PLANNED and name not in BACKENDS:
        valid = " or ".join(repr(each) for each in BACKENDS)
        raise InputError(f"{KEY}: {name!r} does not exist yet; expected {valid}")
    # An unknown name, or a module that cannot be imported, is an error here rather than after players were started.
    BACKENDS.find(name, KEY)
    # The backend's own check, such as that ROS 2 is installed.
    check = _CHECKS.get(name)
    if isinstance(check, str):
        check = import_target(check, KEY)
    if check is not None:
        check(config)


def open_backend(context: BackendContext) -> Backend:
    """Open the configured backend.

    Raises:
        InputError: it is unknown or cannot be used on this machine, or the port is taken.
    """
    check_backend(context.config)
    return BACKENDS.find(context.config.backend, KEY)(context)


register_backend("direct", "rl_pipeline.backends.direct:DirectBackend.open")
register_backend("ros2", "rl_pipeline.backends.ros2:RosBackend.open", check="rl_pipeline.backends.ros2:check_ros2")
