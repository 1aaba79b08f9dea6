"""Cost of the endpoint in a ROS service call, and rates of the `ros2` backend: the ros-endpoint benchmark.

A plain rclpy client calls a plain rclpy service and the step service of a player behind the endpoint, in turn, with the
same messages and executor. It also calls several plain services at once, as a reference for the scaling that the
machine allows.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from rl_pipeline.benchmarks.canned import Round, canned_simulation, rate_of, step_batched
from rl_pipeline.benchmarks.figures import TIMES, Bar, Figures, interleave, spread
from rl_pipeline.benchmarks.rclpy_services import TIMEOUT, isolated_domain, start_service
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.errors import InputError
from rl_pipeline.ros.installation import require_ros
from rl_pipeline.ros.message_types import service_class
from rl_pipeline.tasks.navigation import NavigationTask

ALONE: Final = "rclpy client and service"
ALONE_AT_ONCE: Final = "rclpy client and {} services at once"
THROUGH: Final = "rclpy client, endpoint and player"
BACKEND: Final = "ros2 backend, {} players"
SERVICE: Final = "/benchmark_{}/step"
PLAYER_SERVICE: Final = "/navigation_0/step"
LEAST_SHARE: Final = 1 / 1.35
"""Target of the rate through the endpoint, as a share of rclpy's own: a round trip 35 % longer at most."""
LEAST_SCALING: Final = 2.5
"""Target of the backend's rate with several players, as a multiple of that with one."""
NOTE: Final = (
    "Round trips of a navigation step with 30 rays. Through the endpoint: the same client, messages and executor as "
    "without. The backend's: environment steps, with decoding, observation and reward. Several at once are compared "
    "with one of their kind, the others with rclpy alone. Median of the ratios pair by pair, and their spread."
)


def measure_ros_endpoint(
    players: int = 4, *, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str
) -> Figures:
    """Measure plain service calls, the same through the endpoint, and the backend with 1 and `players` players.

    Args:
        players: players of the backend's second case, and plain services called at once.
        seconds: length of one measurement.
        repetitions: measurements of each case, interleaved.
        progress: called with the name of each case.

    Raises:
        InputError: ROS 2 is not installed, or the interfaces are not built.
    """
    require_ros()
    service_class(NavigationTask.step_service)
    alone_at_once, one, many = ALONE_AT_ONCE.format(players), "ros2 backend, 1 player", BACKEND.format(players)
    sizes = {ALONE: 1, alone_at_once: players, THROUGH: 1, one: 1, many: players}
    # Measure all cases in turn.
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        config, _ = canned_simulation(directory)
        config = config.model_copy(update={"backend": "ros2"})
        rounds = _rounds(stack, config, directory, players)
        rates: dict[str, list[float]] = {name: [] for name in sizes}
        named = list(zip(sizes, zip(sizes, rounds, strict=True), strict=True))
        for name, step in interleave(named, repetitions, progress):
            rates[name].append(rate_of(step, sizes[name], seconds))
    # Ratios to the case that each is compared with.
    rows: list[tuple[str, ...]] = [(ALONE, f"{statistics.median(rates[ALONE]):,.0f}", "", "", "")]
    shares: dict[str, list[float]] = {}
    compared = (
        (alone_at_once, ALONE, 0.0),
        (THROUGH, ALONE, LEAST_SHARE),
        (one, ALONE, 0.0),
        (many, one, LEAST_SCALING),
    )
    for name, base, least in compared:
        shares[name] = [a / b for a, b in zip(rates[name], rates[base], strict=True)]
        floor = f"{least:.2f}" if least else ""
        share = f"{statistics.median(shares[name]):.2f}"
        rows.append((name, f"{statistics.median(rates[name]):,.0f}", share, spread(shares[name]), floor))
    columns = ("case", "per second", "ratio", "spread", "floor")
    bars = [
        Bar(f"{THROUGH}, against none between", shares[THROUGH], LEAST_SHARE, TIMES),
        Bar(f"{alone_at_once}, against 1", shares[alone_at_once], 0.0, TIMES),
        Bar(f"{many} against 1", shares[many], LEAST_SCALING, TIMES),
    ]
    return Figures("ROS service calls", columns, rows, NOTE, {"rates": rates, "ratios": shares}, bars)


def _rounds(stack: ExitStack, config: SimulationConfig, directory: Path, players: int) -> list[Round]:
    """Return the steps of all cases in the order of the table; each group of players has its own ROS domain."""
    base = 1 + os.getpid() % 50 * 2
    # One player, and the plain services, in one domain.
    with isolated_domain(base):
        one = step_batched(stack, config, directory / "one", 1)
        response = directory / "response.bin"
        services = [SERVICE.format(index) for index in range(players)]
        for service in services:
            start_service(stack, service, response)
        call = _make_client(stack)
        alone, at_once, through = call(services[:1]), call(services), call([PLAYER_SERVICE])
    # Several players in another, where their names do not collide with that of the first.
    with isolated_domain(base + 1):
        many = step_batched(stack, config, directory / "many", players)
    return [alone, at_once, through, one, many]


def _make_client(stack: ExitStack) -> Callable[[list[str]], Round]:
    """Return a function that makes calls of services: all of them at once, until each has answered."""
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node

    # A node in a context of its own.
    context = Context()
    context.init(domain_id=int(os.environ["ROS_DOMAIN_ID"]))
    stack.callback(context.try_shutdown)
    node = Node("benchmark_client", context=context)
    stack.callback(node.destroy_node)
    executor = SingleThreadedExecutor(context=context)
    stack.callback(executor.shutdown)
    executor.add_node(node)
    step = service_class(NavigationTask.step_service)

    def make_call(services: list[str]) -> Round:
        clients = [node.create_client(step, service) for service in services]
        for client in clients:
            if not client.wait_for_service(TIMEOUT):
                raise InputError(f"ROS 2: {client.service_name} was not discovered within {TIMEOUT:g} s")

        def call() -> None:
            for future in [client.call_async(step.Request()) for client in clients]:
                executor.spin_until_future_complete(future, TIMEOUT)
                assert future.result() is not None, f"{services} did not answer within {TIMEOUT:g} s"

        return call

    return make_call
