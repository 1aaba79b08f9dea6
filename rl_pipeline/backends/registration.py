"""Which backend a simulation's players are reached by."""

from __future__ import annotations

from rl_pipeline.backends.backend import Backend
from rl_pipeline.backends.direct import DirectBackend
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.errors import InputError


def check_backend(config: SimulationConfig) -> None:
    """Make sure that the configured backend can be used on this machine, without starting anything.

    Raises:
        InputError: it cannot.
    """
    ros = config.ros
    if ros.backend == "mlagents":
        raise InputError("ros.backend: 'mlagents' is not available in this version; use 'direct' or 'ros2'")
    if ros.backend == "ros2":
        from rl_pipeline.ros.installation import require_interfaces

        require_interfaces()
        if ros.launch_endpoint and ros.one_port_per_environment:
            raise InputError(
                "ros.one_port_per_environment: the endpoint that is started for ros.backend=ros2 has one port; "
                "set ros.launch_endpoint=false and start one with bash launch_ros_tcp_endpoint.bash"
            )


def open_backend(config: SimulationConfig) -> Backend:
    """Open the configured backend.

    Args:
        config: its settings are those of `ros`.

    Raises:
        InputError: it cannot be used on this machine, or the port is taken.
    """
    check_backend(config)
    ros = config.ros
    if ros.backend == "ros2":
        from rl_pipeline.backends.ros2 import RosBackend

        return RosBackend(ros.tcp_ip, ros.tcp_port)
    backend = DirectBackend(
        ros.tcp_ip,
        None if ros.one_port_per_environment else config.port,
        token=ros.token.get_secret_value() if ros.token is not None else None,
    )
    backend.start()
    return backend
