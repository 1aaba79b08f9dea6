"""`rl-pipeline endpoint`: the server that players connect to, without a trainer."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.live import Live
from rich.table import Table

from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.options import Overrides, split_ros_arguments
from rl_pipeline.cli.registration import command_options
from rl_pipeline.interfaces.workspaces import use_workspaces
from rl_pipeline.transport.allowance import Limits
from rl_pipeline.transport.endpoint import Endpoint, Look
from rl_pipeline.transport.listening import host_and_port
from rl_pipeline.transport.traffic import PlayerStatistics

if TYPE_CHECKING:
    from rich.console import Console

    from rl_pipeline.config.schema import SimulationConfig

logger = logging.getLogger(__name__)

LIMITS: Final = Limits(payload=256 * 2**20, stranger_payload=64 * 2**20, memory=256 * 2**20)
"""Above those of a trainer: publishers of images and maps connect without registering as players."""


@command_options(
    context_settings={"ignore_unknown_options": True},
    epilog="Example: rl-pipeline endpoint --ros2 --stats ros.tcp_port=10000 --ros-args -p ROS_IP:=0.0.0.0",
)
def endpoint(
    context: typer.Context,
    overrides: Overrides = None,
    ros2: Annotated[bool, typer.Option("--ros2", help="Connect players to the ROS 2 graph.")] = False,
    stats: Annotated[bool, typer.Option("--stats", help="Show the traffic of each connection, live.")] = False,
) -> None:
    """Serve players without training; with --ros2 in place of Unity's ros_tcp_endpoint.

    Without --ros2, players have only each other. A trainer needs it only with backend=ros2; otherwise
    players connect to the trainer itself.
    """
    settings, ros_arguments = split_ros_arguments(context, overrides)
    serve_players(settings, make_console() if stats else None, ros2=ros2, ros_arguments=ros_arguments)


def serve_players(
    overrides: Sequence[str], console: Console | None, *, ros2: bool, ros_arguments: Sequence[str] = ()
) -> None:
    """Serve players until interrupted.

    Args:
        overrides: of the configuration, such as `ros.tcp_port=10001`.
        console: output of a live table of the connections; None: no table.
        ros2: connect players to the ROS graph, not only to each other.
        ros_arguments: `--ros-args` and everything after it.

    Raises:
        InputError: the configuration is wrong, the address cannot be listened on, or ROS 2 is not there.
    """
    from rl_pipeline.config import machine_settings

    simulation = machine_settings(overrides=overrides).simulation
    use_workspaces(simulation.workspace)

    # Ctrl-C is the normal end of a server.
    with contextlib.suppress(KeyboardInterrupt), _live_table(console) as looks:
        if ros2:
            _serve_ros(simulation, ros_arguments, looks)
        else:
            address = simulation.ros.tcp_ip, simulation.ros.tcp_port
            with _listening(simulation, *address, "without ROS: players have only each other") as server:
                server.serve(looks)
    logger.info("endpoint closed")


def _serve_ros(simulation: SimulationConfig, arguments: Sequence[str], looks: Sequence[Look]) -> None:
    from rl_pipeline.ros.session import RosSession

    with RosSession("unity_endpoint", arguments) as session:
        # This imports rclpy; without ROS 2 the session has raised an error that says how to install it.
        from rl_pipeline.ros.endpoint_node import EndpointNode, address_parameters

        # ROS_IP and ROS_TCP_PORT of Unity's endpoint are parameters of the node.
        ros = simulation.ros
        host, port = address_parameters(session.node, ros.tcp_ip, ros.tcp_port)
        name = f"ROS node {session.node.get_fully_qualified_name()}"
        with (
            _listening(simulation, host, port, name) as server,
            EndpointNode(server, session.node, ros.endpoint) as node,
        ):
            server.serve([node.look, *looks], node.tend)


@contextlib.contextmanager
def _listening(simulation: SimulationConfig, host: str, port: int, description: str) -> Iterator[Endpoint]:
    """Open an endpoint on one port, or on one for each environment, and log its address."""
    ros = simulation.ros
    token = ros.token.get_secret_value() if ros.token is not None else None
    with Endpoint(host, port, token=token, limits=LIMITS) as server:
        # Port 0 lets the system choose each port.
        ports = [server.port]
        if ros.one_port_per_environment:
            ports += [server.listen(port + index if port else 0) for index in range(1, simulation.n_environments)]
        others = "".join(f", {each}" for each in ports[1:])
        logger.info("endpoint listening on %s%s (%s)", host_and_port(server.host, server.port), others, description)
        yield server


@contextlib.contextmanager
def _live_table(console: Console | None) -> Iterator[list[Look]]:
    """Show a live table; yield the callbacks that update it, none without a console."""
    if console is None:
        yield []
        return
    with Live(statistics_table([]), console=console, auto_refresh=False) as live:
        yield [lambda players: live.update(statistics_table(players), refresh=True)]


def statistics_table(players: Sequence[PlayerStatistics]) -> Table:
    """Return a table with a row for each connection.

    Its columns are messages and kilobytes a second in and out, open requests, age of the oldest message in the queue
    in milliseconds, and messages lost so far.
    """
    table = Table(caption=None if players else "no player is connected", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("player", no_wrap=True)
    table.add_column("services", overflow="fold")
    for heading in ("in/s", "out/s", "kB in", "out", "open", "queue", "lost"):
        table.add_column(heading, justify="right", no_wrap=True)

    # A row turns yellow while its connection loses messages.
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
