"""`rl-pipeline endpoint`: the server that players connect to, as a program of its own."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from rl_pipeline.config import machine_settings
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.interfaces.workspaces import use_workspaces
from rl_pipeline.transport.allowance import Limits
from rl_pipeline.transport.endpoint import Endpoint, Look
from rl_pipeline.transport.listening import host_and_port
from rl_pipeline.transport.traffic import PlayerStatistics

logger = logging.getLogger(__name__)

LIMITS: Final = Limits(payload=256 * 2**20, stranger_payload=64 * 2**20, memory=256 * 2**20)
"""More than a trainer grants: who publishes images and maps is no stranger here."""


def endpoint(
    overrides: Sequence[str], console: Console, *, ros2: bool, stats: bool, ros_arguments: Sequence[str] = ()
) -> None:
    """Serve players until interrupted, which is how a server ends.

    Args:
        overrides: of the configuration, such as `ros.tcp_port=10001`.
        console: where the table goes.
        ros2: let players take part in the ROS graph; else they have only each other.
        stats: show what each connection does as a live table.
        ros_arguments: `--ros-args` and what follows.

    Raises:
        InputError: the configuration is wrong, the address cannot be listened on, or ROS 2 is not there.
    """
    simulation = machine_settings(overrides=overrides).simulation
    use_workspaces(simulation.workspace)
    with contextlib.suppress(KeyboardInterrupt), _table(console if stats else None) as looks:
        if ros2:
            _serve_ros(simulation, ros_arguments, looks)
        else:
            ros = simulation.ros
            with _listening(
                simulation, ros.tcp_ip, ros.tcp_port, "without ROS: players have only each other"
            ) as server:
                server.serve(looks)
    logger.info("endpoint closed")


def _serve_ros(simulation: SimulationConfig, arguments: Sequence[str], looks: Sequence[Look]) -> None:
    from rl_pipeline.ros.session import RosSession

    with RosSession("unity_endpoint", arguments) as session:
        # What imports rclpy comes after the session, which says what to do where there is none.
        from rl_pipeline.ros.endpoint_node import EndpointNode, address_parameters

        ros = simulation.ros
        host, port = address_parameters(session.node, ros.tcp_ip, ros.tcp_port)
        name = f"ROS node {session.node.get_fully_qualified_name()}"
        with (
            _listening(simulation, host, port, name) as server,
            EndpointNode(server, session.node, ros.endpoint) as node,
        ):
            server.serve([node.look, *looks], node.tend)


@contextlib.contextmanager
def _listening(simulation: SimulationConfig, host: str, port: int, what: str) -> Iterator[Endpoint]:
    """An endpoint on one port, or on one for each environment, which says where it is."""
    ros = simulation.ros
    token = ros.token.get_secret_value() if ros.token is not None else None
    with Endpoint(host, port, token=token, limits=LIMITS) as server:
        ports = [server.port]
        if ros.one_port_per_environment:
            ports += [server.listen(port + index if port else 0) for index in range(1, simulation.n_environments)]
        others = "".join(f", {each}" for each in ports[1:])
        logger.info("endpoint listening on %s%s (%s)", host_and_port(server.host, server.port), others, what)
        yield server


@contextlib.contextmanager
def _table(console: Console | None) -> Iterator[list[Look]]:
    """What shows the connections in a live table; nothing without a console."""
    if console is None:
        yield []
        return
    with Live(statistics_table([]), console=console, auto_refresh=False) as live:
        yield [lambda players: live.update(statistics_table(players), refresh=True)]


def statistics_table(players: Sequence[PlayerStatistics]) -> Table:
    """What each connection does, one row a player.

    Messages and kilobytes a second in and out, requests that are open, the age of what waits, messages lost so far.
    """
    table = Table(caption=None if players else "no player is connected", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("player", no_wrap=True)
    table.add_column("services", overflow="fold")
    for heading in ("in/s", "out/s", "kB in", "out", "open", "queue", "lost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for player in players:
        rates = player.rates
        table.add_row(
            player.peer,
            ", ".join(sorted({f"/{service.strip('/').split('/')[0]}" for service in player.services})),
            f"{rates.messages_in:,.0f}",
            f"{rates.messages_out:,.0f}",
            f"{rates.bytes_in / 1e3:,.0f}",
            f"{rates.bytes_out / 1e3:,.0f}",
            str(player.unanswered),
            f"{player.queue_age * 1e3:,.0f} ms",
            f"{player.dropped:,}",
            style="yellow" if player.newly_dropped else None,
        )
    return table
