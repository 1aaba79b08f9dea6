"""What the endpoint adds to a ROS service call, and what the `ros2` backend makes of it: the ros-endpoint benchmark.

A plain rclpy client calls a plain rclpy service, and then the step service of a player behind the endpoint: the same
client, messages and executor, in turn. It also calls several plain services at once, since how many times the calls of
one can be had is first of all a matter of the machine. Run as a module, this file is the plain service.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from rl_pipeline.benchmarks.canned import Round, canned_simulation, rate_of, step_batched
from rl_pipeline.benchmarks.figures import TIMES, Bar, Figures, interleave, spread
from rl_pipeline.benchmarks.ros import apart, end
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
"""Of rclpy's own rate, so that the endpoint adds 35 % to its round trip at most."""
LEAST_SCALING: Final = 2.5
TIMEOUT: Final = 30.0
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
        players: of the backend's second case, and as many plain services called at once.
        seconds: length of one measurement.
        repetitions: measurements of each case, interleave.
        progress: called with what is being measured.

    Raises:
        InputError: ROS 2 is not installed, or the interfaces are not built.
    """
    require_ros()
    service_class(NavigationTask.step_service)
    alone_at_once, one, many = ALONE_AT_ONCE.format(players), "ros2 backend, 1 player", BACKEND.format(players)
    sizes = {ALONE: 1, alone_at_once: players, THROUGH: 1, one: 1, many: players}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        config, _ = canned_simulation(directory)
        config = config.model_copy(update={"ros": config.ros.model_copy(update={"backend": "ros2"})})
        rounds = _rounds(stack, config, directory, players)
        rates: dict[str, list[float]] = {name: [] for name in sizes}
        named = list(zip(sizes, zip(sizes, rounds, strict=True), strict=True))
        for name, step in interleave(named, repetitions, progress):
            rates[name].append(rate_of(step, sizes[name], seconds))
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
    """What is measured, in the order of the table. Each group of players has a ROS domain of its own."""
    base = 1 + os.getpid() % 50 * 2
    with apart(base):
        one = step_batched(stack, config, directory / "one", 1)
        response = directory / "response.bin"
        services = [SERVICE.format(index) for index in range(players)]
        for service in services:
            stack.callback(end, subprocess.Popen([sys.executable, "-m", __name__, service, str(response)]))
        call = _caller(stack)
        alone, at_once, through = call(services[:1]), call(services), call([PLAYER_SERVICE])
    with apart(base + 1):
        many = step_batched(stack, config, directory / "many", players)
    return [alone, at_once, through, one, many]


def _caller(stack: ExitStack) -> Callable[[list[str]], Round]:
    """A plain rclpy node that calls services of the navigation step: some at once, until all have answered."""
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node

    context = Context()
    context.init(domain_id=int(os.environ["ROS_DOMAIN_ID"]))
    stack.callback(context.try_shutdown)
    node = Node("benchmark_client", context=context)
    stack.callback(node.destroy_node)
    executor = SingleThreadedExecutor(context=context)
    stack.callback(executor.shutdown)
    executor.add_node(node)
    step = service_class(NavigationTask.step_service)

    def caller(services: list[str]) -> Round:
        clients = [node.create_client(step, service) for service in services]
        for client in clients:
            if not client.wait_for_service(TIMEOUT):
                raise InputError(f"ROS 2: {client.service_name} was not discovered within {TIMEOUT:g} s")

        def call() -> None:
            for future in [client.call_async(step.Request()) for client in clients]:
                executor.spin_until_future_complete(future, TIMEOUT)
                assert future.result() is not None, f"{services} did not answer within {TIMEOUT:g} s"

        return call

    return caller


def _serve(name: str, payload: bytes) -> None:
    """Answer every request at once with the same response, as a plain service does."""
    import rclpy
    from rclpy.executors import ExternalShutdownException
    from rclpy.serialization import deserialize_message

    step = service_class(NavigationTask.step_service)
    response = deserialize_message(payload, step.Response)

    def answer(request: Any, unfilled: Any) -> Any:
        return response

    rclpy.init()
    node = rclpy.create_node("benchmark_service")
    node.create_service(step, name, answer)
    with contextlib.suppress(ExternalShutdownException, KeyboardInterrupt):
        rclpy.spin(node)


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]).read_bytes())
