"""A ROS endpoint in a process of its own: players connect to it, and it takes part in the ROS graph for them."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Final

from rl_pipeline.config.schema import RosConfig
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.workspaces import workspace_environment
from rl_pipeline.simulation.player_process import PlayerProcess
from rl_pipeline.simulation.reaper import Reaper
from rl_pipeline.transport.listening import resolve

TOKEN_VARIABLE: Final = "RL_PIPELINE_ENDPOINT_TOKEN"
"""Environment variable that passes the token to the endpoint: every user of the machine can read a command line."""


class EndpointProcess:
    """Runs `rl-pipeline endpoint --ros2` until it is closed.

    Args:
        config: address, port (0: any free one) and token.
        log_directory: folder of its log, `endpoint.log`.

    Attributes:
        port: port that players connect to.
    """

    def __init__(self, config: RosConfig, log_directory: Path) -> None:
        self.port = config.tcp_port or _find_free_port(config.tcp_ip)
        log_directory.mkdir(parents=True, exist_ok=True)
        overrides = [f"ros.tcp_ip={config.tcp_ip}", f"ros.tcp_port={self.port}", "ros.one_port_per_environment=false"]
        environment = workspace_environment()
        if config.token is not None:
            overrides.append(f"ros.token=${{oc.env:{TOKEN_VARIABLE}}}")
            environment[TOKEN_VARIABLE] = config.token.get_secret_value()
        # The reaper ends the endpoint if this process dies.
        self._reaper = Reaper()
        self._process = PlayerProcess(
            [sys.executable, "-m", "rl_pipeline.cli", "endpoint", "--ros2", *overrides],
            log_directory.absolute() / "endpoint.log",
            self._reaper,
            environment,
        )

    def check(self) -> None:
        """Check that the endpoint runs.

        Raises:
            InputError: it has ended, so that no player will ever be reached.
        """
        if (status := self._process.exit_status()) is not None:
            raise InputError(
                f"ros.launch_endpoint: the endpoint {status}; the end of {self._process.log_file}:\n"
                f"{self._process.log_tail()}"
            )

    def close(self) -> None:
        """End the endpoint; safe to call twice."""
        self._process.stop()
        self._reaper.close()


def _find_free_port(host: str) -> int:
    """Return a port that is free now. The endpoint takes it a second later; two endpoints need configured ports."""
    address = resolve(host)
    with socket.socket(address.family, socket.SOCK_STREAM) as probe:
        probe.bind((address.host, 0))
        return int(probe.getsockname()[1])
