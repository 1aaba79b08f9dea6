"""An endpoint process for the `ros2` backend: players connect to it, and it offers their services in the ROS graph."""

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
"""Seconds to discover the services of other runs, which must not be taken for those of this run."""
TOKEN_VARIABLE: Final = "RL_PIPELINE_ENDPOINT_TOKEN"
"""Environment variable that passes the token to the endpoint: every user of the machine can read a command line."""


class LaunchedEndpoint(RosBackend):
    """A `ros2` backend that owns the endpoint process `rl-pipeline endpoint --ros2`.

    Args:
        config: address, port (0: any free port) and token of the endpoint.
        log_directory: folder of the endpoint's log.

    Raises:
        InputError: ROS 2 is not installed, or the endpoint cannot be started.
    """

    def __init__(self, config: RosConfig, log_directory: Path) -> None:
        # The node first: it learns of the services of other runs before the endpoint offers its own.
        port = config.tcp_port or _find_free_port(config.tcp_ip)
        super().__init__(config.tcp_ip, port)
        super().poll(DISCOVERY_TIME)
        log_directory.mkdir(parents=True, exist_ok=True)
        # Settings of the endpoint, as overrides of its configuration.
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
            InputError: the endpoint has ended; no player can be reached any more.
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


def _find_free_port(host: str) -> int:
    """Return a port that is free now. The endpoint binds it a second later: two endpoints at once need fixed ports."""
    address = resolve(host)
    with socket.socket(address.family, socket.SOCK_STREAM) as probe:
        probe.bind((address.host, 0))
        return int(probe.getsockname()[1])
