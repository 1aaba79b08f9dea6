"""The `ros2` backend with an endpoint of its own, a process that players connect to and that serves the ROS graph."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Final

from rl_pipeline.backends.ros2 import RosBackend
from rl_pipeline.config.schema import RosConfig
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.workspaces import workspace_environment
from rl_pipeline.simulation.player_process import PlayerProcess
from rl_pipeline.simulation.reaper import Reaper
from rl_pipeline.transport.listening import resolve

DISCOVERY_TIME: Final = 0.5
"""Seconds in which the services of other runs are seen, which must not be taken for those of this one."""
TOKEN_VARIABLE: Final = "RL_PIPELINE_ENDPOINT_TOKEN"
"""Environment variable that hands the token to the endpoint, since every user can read a command line."""


class LaunchedEndpoint(RosBackend):
    """Reaches players by way of `rl-pipeline endpoint --ros2`, which lives as long as this.

    Args:
        config: address, port and token.
        log_directory: where its log goes.

    Raises:
        InputError: ROS 2 is not there, or the endpoint cannot be started.
    """

    def __init__(self, config: RosConfig, log_directory: Path) -> None:
        port = config.tcp_port or _free_port(config.tcp_ip)
        super().__init__(config.tcp_ip, port)
        super().poll(DISCOVERY_TIME)
        log_directory.mkdir(parents=True, exist_ok=True)
        overrides = [f"ros.tcp_ip={config.tcp_ip}", f"ros.tcp_port={port}", "ros.one_port_per_environment=false"]
        environment = workspace_environment()
        if config.token is not None:
            overrides.append(f"ros.token=${{oc.env:{TOKEN_VARIABLE}}}")
            environment[TOKEN_VARIABLE] = config.token.get_secret_value()
        self._reaper = Reaper()
        self._process = PlayerProcess(
            [sys.executable, "-m", "rl_pipeline.cli", "endpoint", "--ros2", *overrides],
            log_directory.absolute() / "endpoint.log",
            self._reaper,
            environment,
        )

    def poll(self, timeout: float) -> None:
        """Run callbacks of the node for `timeout` seconds.

        Raises:
            InputError: the endpoint has ended, so that no player will ever be reached.
        """
        super().poll(timeout)
        if (status := self._process.exit_status()) is not None:
            raise InputError(
                f"ros.launch_endpoint: the endpoint {status}; the end of {self._process.log_file}:\n"
                f"{self._process.log_tail()}"
            )

    def close(self) -> None:
        """End the endpoint and the node; safe to call twice."""
        super().close()
        self._process.stop()
        self._reaper.close()


def _free_port(host: str) -> int:
    """A port that is free now. The endpoint takes it a second later: whoever runs two of them names two ports."""
    address = resolve(host)
    with socket.socket(address.family, socket.SOCK_STREAM) as probe:
        probe.bind((address.host, 0))
        return int(probe.getsockname()[1])
